// Load measures a DERP relay: idle connections, round trips on a quiet relay,
// pairs that send as fast as the relay takes it (or within a window, so that
// nothing is lost), and the round trip of a quiet pair beside them. It prints
// a line when it has connected, and one JSON object.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

var (
	where   = flag.String("url", "http://127.0.0.1:3340", "the relay")
	pairs   = flag.Int("pairs", 1, "sender and receiver pairs")
	size    = flag.Int("size", 1200, "bytes in a packet")
	window  = flag.Int("window", 0, "packets a pair may have under way, 0 for no limit")
	length  = flag.Duration("for", 3*time.Second, "how long to send")
	idle    = flag.Int("idle", 0, "connections that only stay; with them nothing else is measured until a line on stdin")
	pings   = flag.Int("pings", 500, "round trips")
	beside  = flag.Bool("beside", false, "measure the round trips beside the sending pairs")
	real    = flag.Bool("real", false, "with the DERP client of tailscaled, which is slower than the least of a client")
	results = map[string]any{}

	connected = sync.OnceFunc(func() { fmt.Println("connected") })
)

func main() {
	flag.Parse()
	relay, err := url.Parse(*where)
	if err != nil {
		log.Fatal(err)
	}
	if *idle > 0 {
		stay(relay)
		return
	}
	if !*beside && *pings > 0 {
		roundTrips(relay)
	}
	if *pairs > 0 {
		throughput(relay)
	}
	json.NewEncoder(os.Stdout).Encode(results)
}

func mustDial(relay *url.URL) peer {
	var c peer
	var err error
	if *real {
		c, err = dialReal(relay)
	} else {
		c, err = dial(relay, *idle > 0)
	}
	if err != nil {
		log.Fatalf("connecting: %v", err)
	}
	return c
}

// stay opens idle connections, tells their number, and keeps them until a line comes in.
func stay(relay *url.URL) {
	started := time.Now()
	kept := make([]peer, *idle)
	var wait sync.WaitGroup
	for lane := range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := lane; i < *idle; i += 8 {
				kept[i] = mustDial(relay)
			}
		}()
	}
	wait.Wait()
	connected()
	results["idle"], results["connects_per_s"] = len(kept), float64(len(kept))/time.Since(started).Seconds()
	json.NewEncoder(os.Stdout).Encode(results)
	os.Stdin.Read(make([]byte, 1))
}

func roundTrips(relay *url.URL) {
	near, far := mustDial(relay), mustDial(relay)
	defer near.close()
	defer far.close()
	connected()
	go func() {
		for {
			data, err := far.packet()
			if err != nil || far.send(near.public(), data) != nil {
				return
			}
		}
	}()
	data := make([]byte, 100)
	took := make([]float64, 0, *pings)
	lost := 0
	for range *pings {
		started := time.Now()
		if err := near.send(far.public(), data); err != nil {
			log.Fatalf("sending: %v", err)
		}
		late := time.AfterFunc(5*time.Second, near.close)
		_, err := near.packet()
		late.Stop()
		if err != nil {
			lost++
			break
		}
		took = append(took, float64(time.Since(started).Nanoseconds())/1e6)
		if *beside {
			time.Sleep(time.Millisecond)
		}
	}
	sort.Float64s(took)
	results["rtt_lost"] = lost
	if len(took) > 0 {
		results["rtt_ms_p50"], results["rtt_ms_p99"] = took[len(took)/2], took[len(took)*99/100]
	}
}

func throughput(relay *url.URL) {
	var sent, got atomic.Int64
	var senders sync.WaitGroup
	from, to := make([]peer, *pairs), make([]peer, *pairs)
	for i := range *pairs {
		from[i], to[i] = mustDial(relay), mustDial(relay)
	}
	connected()
	started := time.Now()
	for i := range *pairs {
		credit := make(chan struct{}, max(*window, 1))
		go receive(to[i], &got, credit)
		senders.Add(1)
		go func() {
			defer senders.Done()
			send(from[i], to[i].public(), started, &sent, credit)
		}()
	}
	if *beside {
		roundTrips(relay)
	}
	senders.Wait()
	took := time.Since(started).Seconds()
	delivered := got.Load()
	time.Sleep(300 * time.Millisecond)
	results["packets"] = got.Load()
	results["packets_per_s"] = float64(delivered) / took
	results["mbit_per_s"] = float64(delivered) * float64(*size) * 8 / 1e6 / took
	results["loss"] = 1 - float64(got.Load())/float64(max(sent.Load(), 1))
}

func send(c peer, to [32]byte, started time.Time, sent *atomic.Int64, credit chan struct{}) {
	data := make([]byte, *size)
	for time.Since(started) < *length {
		if *window > 0 {
			select {
			case credit <- struct{}{}:
			case <-time.After(time.Second):
				continue // a packet was lost all the same
			}
		}
		if err := c.send(to, data); err != nil {
			log.Printf("sending: %v", err)
			return
		}
		sent.Add(1)
	}
}

func receive(c peer, got *atomic.Int64, credit chan struct{}) {
	for {
		if _, err := c.packet(); err != nil {
			return
		}
		got.Add(1)
		if *window > 0 {
			<-credit
		}
	}
}

// load joins a crowd of simulated nodes to a control server, over the packages real clients are made of, and measures
// how soon everybody is told what changes. It prints one JSON object. Scenarios, in this order:
//
//	join    all nodes register and open their map streams, until nobody learns of a node any more
//	idle    nothing happens
//	update  again and again one node announces an endpoint, until all who see it were told
//	arrive  again and again one more node joins, until all who see one with the same auth key were told
//	churn   nodes hang up and come back all at once, until they know as many nodes as before
//
// The server's processor time and memory are read from /proc, so both must run on one machine.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"math/bits"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"tailscale.com/tailcfg"
)

var (
	url      = flag.String("url", "http://127.0.0.1:8080", "the control server")
	keys     = flag.String("keys", "", "file with reusable auth keys, one a line; nodes use them in turn")
	count    = flag.Int("nodes", 100, "nodes to join")
	atOnce   = flag.Int("at-once", 16, "nodes that join at the same time")
	idle     = flag.Duration("idle", 0, "how long nothing happens")
	rounds   = flag.Int("rounds", 20, "updates, and arrivals")
	churn    = flag.Int("churn", 0, "nodes that hang up and come back")
	pid      = flag.Int("pid", 0, "the server's process")
	quiet    = flag.Duration("quiet", 3*time.Second, "all is told when nobody has learnt of a node for so long")
	patience = flag.Duration("patience", time.Minute, "how long a round waits for those who are not told")
	timeout  = flag.Duration("timeout", 10*time.Minute, "bound on everything together")
)

func main() {
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	c, err := newCrowd()
	if err != nil {
		log.Fatal(err)
	}
	results := map[string]any{"nodes": *count}
	for _, scenario := range []func(context.Context, *crowd, map[string]any) error{join, rest, update, arrive, reconnect} {
		if err := scenario(ctx, c, results); err != nil {
			results["failed"] = err.Error()
			break
		}
	}
	results["drops"] = c.drops.Load()
	results["peak_mb"] = peak(*pid)
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		log.Fatal(err)
	}
}

func newCrowd() (*crowd, error) {
	text, err := os.ReadFile(*keys)
	if err != nil {
		return nil, err
	}
	answer, err := http.Get(*url + "/key?v=113")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var told tailcfg.OverTLSPublicKeyResponse
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil {
		return nil, err
	}
	return &crowd{
		url: *url, serverKey: told.PublicKey, authKeys: strings.Fields(string(text)),
		roster: roster{numbers: make(map[string]int)},
	}, nil
}

const attempts = 5 // to join; a real client does not give up either

func enter(ctx context.Context, c *crowd, number int) (*client, error) {
	cl, err := newClient(c, number)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		if err = cl.register(ctx); err == nil {
			err = cl.open(ctx)
		}
		if err == nil || attempt == attempts || ctx.Err() != nil {
			return cl, err
		}
		c.retries.Add(1)
	}
}

func join(ctx context.Context, c *crowd, results map[string]any) error {
	began, cpu, own := time.Now(), spent(*pid), spent(os.Getpid())
	c.lastLearn.Store(began.UnixNano())
	c.clients = make([]*client, *count)
	err := inParallel(*count, *atOnce, func(number int) (err error) {
		c.clients[number], err = enter(ctx, c, number)
		return err
	})
	if err != nil {
		return err
	}
	last, settled := c.settle(ctx, *quiet)
	results["join_s"] = last.Sub(began).Seconds()
	results["join_cpu_s"] = spent(*pid) - cpu
	results["join_load_cpu_s"] = spent(os.Getpid()) - own
	results["pairs"] = c.pairs.Load()
	results["join_mb"] = float64(c.bytes.Load()) / 1e6
	messages := int64(0)
	for _, cl := range c.clients {
		messages += cl.told.Load()
	}
	results["join_messages"], results["join_retries"] = messages, c.retries.Load()
	if !settled {
		return ctx.Err()
	}
	return nil
}

func rest(_ context.Context, _ *crowd, results map[string]any) error {
	if *idle > 0 {
		cpu := spent(*pid)
		time.Sleep(*idle)
		results["idle_cpu_percent"] = 100 * (spent(*pid) - cpu) / idle.Seconds()
	}
	return nil
}

func update(ctx context.Context, c *crowd, results map[string]any) error {
	return measure(ctx, "update", results, func(round int) (*news, error) {
		cl := c.clients[round*7%len(c.clients)]
		n := c.await(cl.endpoint(round), cl)
		return n, cl.announce(ctx, round)
	})
}

func arrive(ctx context.Context, c *crowd, results map[string]any) error {
	return measure(ctx, "arrive", results, func(int) (*news, error) {
		cl, err := newClient(c, len(c.clients))
		if err != nil {
			return nil, err
		}
		sibling := c.clients[cl.number%len(c.authKeys)]
		n := c.await(cl.nodeKey(), sibling)
		if err := cl.register(ctx); err != nil {
			return nil, err
		}
		err = cl.open(ctx)
		c.clients = append(c.clients, cl)
		return n, err
	})
}

func reconnect(ctx context.Context, c *crowd, results map[string]any) error {
	if *churn == 0 {
		return nil
	}
	leaving, knew := c.clients[:min(*churn, len(c.clients))], int64(0)
	for _, cl := range leaving {
		cl.hangUp()
		for _, word := range cl.knows.words {
			knew += int64(bits.OnesCount64(word))
		}
		cl.knows.clear()
	}
	began, cpu, target := time.Now(), spent(*pid), c.pairs.Load()+knew
	if err := inParallel(len(leaving), len(leaving), func(number int) error { return leaving[number].open(ctx) }); err != nil {
		return err
	}
	for c.pairs.Load() < target && time.Since(later(began, time.Unix(0, c.lastLearn.Load()))) < *patience {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	results["churn_missed"] = max(0, target-c.pairs.Load())
	results["churn_nodes"], results["churn_s"] = len(leaving), time.Unix(0, c.lastLearn.Load()).Sub(began).Seconds()
	results["churn_cpu_s"] = spent(*pid) - cpu
	return nil
}

// measure runs rounds of one scenario: how long until everybody was told, how many that were, what it cost the server.
func measure(ctx context.Context, name string, results map[string]any, round func(int) (*news, error)) error {
	if *rounds == 0 {
		return nil
	}
	var took []time.Duration
	told, missed, cpu := 0, 0, spent(*pid)
	for number := 1; number <= *rounds; number++ {
		began := time.Now()
		n, err := round(number)
		if err != nil {
			return err
		}
		select {
		case <-n.done:
		case <-time.After(*patience): // a server may have shown a node for a moment that is none of a client's peers
		case <-ctx.Done():
			return ctx.Err()
		}
		left, last := n.missed(began)
		took, told, missed = append(took, last.Sub(began)), told+n.told-left, missed+left
	}
	time.Sleep(300 * time.Millisecond) // what still follows from the last round is its cost too
	results[name+"_ms_p50"], results[name+"_ms_p99"] = quantile(took, 0.5), quantile(took, 0.99)
	results[name+"_cpu_ms"] = 1000 * (spent(*pid) - cpu) / float64(*rounds)
	results[name+"_told"], results[name+"_missed"] = float64(told)/float64(*rounds), missed
	return nil
}

func inParallel(count, atOnce int, work func(int) error) error {
	slots, failed := make(chan struct{}, atOnce), make(chan error, count)
	var group sync.WaitGroup
	for number := range count {
		slots <- struct{}{}
		group.Add(1)
		go func() {
			defer group.Done()
			defer func() { <-slots }()
			if err := work(number); err != nil {
				failed <- err
			}
		}()
	}
	group.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func later(one, other time.Time) time.Time {
	if one.After(other) {
		return one
	}
	return other
}

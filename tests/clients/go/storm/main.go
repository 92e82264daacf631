// Storm registers many nodes with a control server through the Tailscale
// project's own protocol client, and later asks whether they are still known.
//
//	storm join   -url URL -key KEY -n N    register N nodes, several at a time; print a line of JSON for
//	                                       each node as soon as the server has said yes to it
//	storm check  -url URL -lines FILE      log every node of these lines in again with its keys alone and
//	                                       print the lines the server does not honour any more
//
// A join goes on until the last node or until the server is gone.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"tailscale.com/control/tsp"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

const requestTimeout = 15 * time.Second

// A node as it is written down: told yes, and with its addresses if it came to hear them.
type node struct {
	Name      string             `json:"name"`
	Machine   key.MachinePrivate `json:"machine"`
	Node      key.NodePrivate    `json:"node"`
	Addresses []netip.Prefix     `json:"addresses,omitempty"`
	Lost      string             `json:"lost,omitempty"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("storm: say join or check")
	}
	flags := flag.NewFlagSet("storm", flag.ExitOnError)
	url := flags.String("url", "", "base URL of the control server")
	authKey := flags.String("key", "", "reusable auth key")
	lines := flags.String("lines", "", "file with what join printed")
	prefix := flags.String("prefix", "storm", "what the nodes' names begin with")
	count := flags.Int("n", 100, "nodes to register")
	width := flags.Int("width", 8, "nodes that register at the same time")
	flags.Parse(os.Args[2:])

	out := make(chan node)
	go func() {
		defer close(out)
		switch os.Args[1] {
		case "join":
			join(*url, *authKey, *prefix, *count, *width, out)
		case "check":
			check(*url, *lines, *width, out)
		default:
			log.Fatalf("storm: %q is neither join nor check", os.Args[1])
		}
	}()
	encoder := json.NewEncoder(os.Stdout)
	for n := range out {
		if err := encoder.Encode(n); err != nil {
			log.Fatal(err)
		}
	}
}

func join(url, authKey, prefix string, count, width int, out chan<- node) {
	numbers := make(chan int)
	stop := make(chan struct{})
	var once sync.Once
	var workers sync.WaitGroup
	for range width {
		workers.Go(func() {
			for i := range numbers {
				n := node{Name: fmt.Sprintf("%s%d", prefix, i), Machine: key.NewMachine(), Node: key.NewNode()}
				if err := n.login(url, authKey); err != nil {
					log.Printf("%s: %v", n.Name, err)
					once.Do(func() { close(stop) })
					return
				}
				out <- n // told yes: from here on it must never be forgotten
				if addresses, err := n.addresses(url); err == nil {
					n.Addresses = addresses
					out <- n
				}
			}
		})
	}
feed:
	for i := range count {
		select {
		case numbers <- i:
		case <-stop:
			break feed
		}
	}
	close(numbers)
	workers.Wait()
}

func check(url, path string, width int, out chan<- node) {
	told, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer told.Close()
	known := make(chan node)
	var workers sync.WaitGroup
	for range width {
		workers.Go(func() {
			for n := range known {
				if n.Lost = n.whyLost(url); n.Lost != "" {
					out <- n
				}
			}
		})
	}
	lines := json.NewDecoder(told)
	for {
		var n node
		if err := lines.Decode(&n); err == io.EOF {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		known <- n
	}
	close(known)
	workers.Wait()
}

// whyLost says what the server no longer honours; empty when all is as it was.
func (n *node) whyLost(url string) string {
	if err := n.login(url, ""); err != nil {
		return err.Error()
	}
	addresses, err := n.addresses(url)
	if err != nil {
		return err.Error()
	}
	if len(n.Addresses) > 0 && !slices.Equal(addresses, n.Addresses) {
		return fmt.Sprintf("addresses are now %v", addresses)
	}
	return ""
}

func (n *node) client(url string) (*tsp.Client, error) {
	return tsp.NewClient(tsp.ClientOpts{ServerURL: url, MachineKey: n.Machine})
}

// login registers the node: with a key for the first time, by its own keys alone after that.
func (n *node) login(url, authKey string) error {
	c, err := n.client(url)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	answer, err := c.Register(ctx, tsp.RegisterOpts{NodeKey: n.Node, Hostinfo: n.hostinfo(), AuthKey: authKey})
	if err != nil {
		return err
	}
	if !answer.MachineAuthorized || answer.NodeKeyExpired {
		return fmt.Errorf("authorized %v, key expired %v, login page %q",
			answer.MachineAuthorized, answer.NodeKeyExpired, answer.AuthURL)
	}
	return nil
}

// addresses reads the node's own addresses out of the first map response.
func (n *node) addresses(url string) ([]netip.Prefix, error) {
	c, err := n.client(url)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	session, err := c.Map(ctx, tsp.MapOpts{NodeKey: n.Node, Hostinfo: n.hostinfo(), Stream: true})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	first, err := session.Next()
	if err != nil {
		return nil, err
	}
	if first.Node == nil {
		return nil, fmt.Errorf("the first map response has no node")
	}
	return first.Node.Addresses, nil
}

func (n *node) hostinfo() *tailcfg.Hostinfo {
	return &tailcfg.Hostinfo{Hostname: n.Name, OS: "linux", IPNVersion: "1.102.5"}
}

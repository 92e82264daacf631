// Command tunnel speaks to a server through the Go client's own ts2021 library and says "ok", or what went wrong.
//
//	tunnel <server URL> <server's mkey:…>
//
// The server's inner app has /echo, /big (64 KiB times the body's number) and /poll (a line, then one more line for
// each echo that comes meanwhile).
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"tailscale.com/control/ts2021"
	"tailscale.com/net/tsdial"
	"tailscale.com/types/key"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func run(url, serverKey string) error {
	var server key.MachinePublic
	if err := server.UnmarshalText([]byte(serverKey)); err != nil {
		return err
	}
	client, err := ts2021.NewClient(ts2021.ClientOpts{
		ServerURL:    url,
		PrivKey:      key.NewMachine(),
		ServerPubKey: server,
		Dialer:       tsdial.NewFromFuncForDebug(discard, (&net.Dialer{}).DialContext),
		Logf:         discard,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, check := range []func(context.Context, *ts2021.Client) error{echoes, big, poll} {
		if err := check(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

func discard(string, ...any) {}

func ask(ctx context.Context, client *ts2021.Client, path, body string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, "POST", "https://unused"+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	return client.Do(request)
}

func echo(ctx context.Context, client *ts2021.Client, text string) error {
	response, err := ask(ctx, client, "/echo", text)
	if err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 || string(got) != text {
		return fmt.Errorf("echo: %d, %d bytes, %v", response.StatusCode, len(got), err)
	}
	return nil
}

// echoes asks 400 times over 8 goroutines, with bodies from nothing to half a megabyte.
func echoes(ctx context.Context, client *ts2021.Client) error {
	var group sync.WaitGroup
	failed := make(chan error, 8)
	for worker := range 8 {
		group.Go(func() {
			for i := range 50 {
				size := i * 10
				if i == 49 {
					size = worker * 64 << 10
				}
				if err := echo(ctx, client, strings.Repeat("x", size)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failed)
	return <-failed
}

// big reads more than every flow-control window holds at once, slowly at first.
func big(ctx context.Context, client *ts2021.Client) error {
	response, err := ask(ctx, client, "/big", "320")
	if err != nil {
		return fmt.Errorf("big: %w", err)
	}
	defer response.Body.Close()
	time.Sleep(300 * time.Millisecond)
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil || n != 320<<16 {
		return fmt.Errorf("big: %d bytes, %v", n, err)
	}
	return nil
}

// poll keeps a stream open beside other requests, each of which makes a line on it.
func poll(ctx context.Context, client *ts2021.Client) error {
	response, err := ask(ctx, client, "/poll", "")
	if err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for i := range 20 {
		line, err := lines.ReadBytes('\n')
		if err != nil || !bytes.Equal(line, []byte("line\n")) {
			return fmt.Errorf("poll: line %d is %q, %v", i, line, err)
		}
		if err := echo(ctx, client, "poll"); err != nil {
			return err
		}
	}
	return nil
}

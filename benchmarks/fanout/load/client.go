package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"tailscale.com/control/ts2021"
	"tailscale.com/net/tsdial"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// client is one simulated machine: it registers, keeps a map stream open, and notes whom it has been told of.
type client struct {
	number  int
	crowd   *crowd
	machine key.MachinePrivate
	node    key.NodePrivate
	disco   key.DiscoPrivate
	tunnel  *ts2021.Client
	knows   bitset // numbers of the nodes it was told of; only its reader touches it while a stream is open
	told    atomic.Int64
	stop    context.CancelFunc
	ended   chan struct{}
}

func newClient(c *crowd, number int) (*client, error) {
	cl := &client{number: number, crowd: c, machine: key.NewMachine(), node: key.NewNode(), disco: key.NewDisco()}
	silent := func(string, ...any) {}
	tunnel, err := ts2021.NewClient(ts2021.ClientOpts{
		ServerURL: c.url, PrivKey: cl.machine, ServerPubKey: c.serverKey, Logf: silent,
		Dialer: tsdial.NewFromFuncForDebug(silent, (&net.Dialer{}).DialContext),
	})
	cl.tunnel = tunnel
	return cl, err
}

func (cl *client) nodeKey() string { return cl.node.Public().String() }

func (cl *client) host() *tailcfg.Hostinfo {
	return &tailcfg.Hostinfo{
		Hostname: fmt.Sprintf("bench-%d", cl.number), OS: "linux", OSVersion: "6.12", GoArch: "amd64", IPNVersion: "1.102.5",
		NetInfo: &tailcfg.NetInfo{PreferredDERP: 999},
	}
}

// ask posts a request inside the tunnel; the answer's body is the caller's to close.
func (cl *client) ask(ctx context.Context, path string, body any) (io.ReadCloser, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	// Inside the tunnel every server is https to the client.
	url := "https://" + strings.SplitN(cl.crowd.url, "//", 2)[1] + path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	answer, err := cl.tunnel.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		words, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return nil, fmt.Errorf("%s: %s: %s", path, answer.Status, words)
	}
	return answer.Body, nil
}

func (cl *client) register(ctx context.Context) error {
	authKey := cl.crowd.authKeys[cl.number%len(cl.crowd.authKeys)]
	body, err := cl.ask(ctx, "/machine/register", tailcfg.RegisterRequest{
		Version: tailcfg.CurrentCapabilityVersion, NodeKey: cl.node.Public(), Hostinfo: cl.host(),
		Auth: &tailcfg.RegisterResponseAuth{AuthKey: authKey},
	})
	if err != nil {
		return err
	}
	defer body.Close()
	var answer tailcfg.RegisterResponse
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return err
	}
	if !answer.MachineAuthorized {
		return fmt.Errorf("node %d was not let in: %s", cl.number, answer.Error)
	}
	return nil
}

// endpoint is the address the client announces in a round; no two clients or rounds share one.
func (cl *client) endpoint(round int) string {
	return fmt.Sprintf("198.51.%d.%d:%d", 100+cl.number/50000, 1+round%250, 1024+cl.number%50000)
}

func (cl *client) mapRequest(round int, stream bool) tailcfg.MapRequest {
	return tailcfg.MapRequest{
		Version: tailcfg.CurrentCapabilityVersion, NodeKey: cl.node.Public(), DiscoKey: cl.disco.Public(),
		Hostinfo: cl.host(), Compress: "zstd", KeepAlive: true, Stream: stream, OmitPeers: !stream,
		Endpoints:     []netip.AddrPort{netip.MustParseAddrPort(cl.endpoint(round))},
		EndpointTypes: []tailcfg.EndpointType{tailcfg.EndpointLocal},
	}
}

// announce tells the server a new endpoint beside the open stream.
func (cl *client) announce(ctx context.Context, round int) error {
	body, err := cl.ask(ctx, "/machine/map", cl.mapRequest(round, false))
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(io.Discard, body)
	return err
}

// open begins a map stream, which is read until hangUp or an error; the latter counts as a drop.
func (cl *client) open(ctx context.Context) error {
	ctx, cl.stop = context.WithCancel(ctx)
	body, err := cl.ask(ctx, "/machine/map", cl.mapRequest(0, true))
	if err != nil {
		return err
	}
	cl.ended = make(chan struct{})
	go func() {
		defer close(cl.ended)
		defer body.Close()
		if err := cl.read(body); ctx.Err() == nil {
			cl.crowd.dropped(fmt.Errorf("stream of node %d: %w", cl.number, err))
		}
	}()
	return nil
}

func (cl *client) hangUp() {
	cl.stop()
	<-cl.ended
}

func (cl *client) read(body io.Reader) error {
	var size [4]byte
	for {
		if _, err := io.ReadFull(body, size[:]); err != nil {
			return err
		}
		err := unpacked(body, int(binary.LittleEndian.Uint32(size[:])), func(packed, json []byte) {
			cl.told.Add(1)
			cl.crowd.bytes.Add(int64(len(packed)))
			cl.take(json)
		})
		if err != nil {
			return err
		}
	}
}

// take notes the nodes in a message and the news that are waited for, without decoding it: the generator must stay
// light beside the server it measures.
func (cl *client) take(json []byte) {
	for rest := json; ; {
		start := bytes.Index(rest, keyMember)
		if start < 0 {
			break
		}
		rest = rest[start+len(keyMember):]
		end := bytes.IndexByte(rest, '"')
		if cl.knows.add(cl.crowd.roster.number(rest[:end])) {
			cl.crowd.learnt()
		}
	}
	if news := cl.crowd.awaited.Load(); news != nil && bytes.Contains(json, news.text) {
		news.reached(cl.number)
	}
}

var keyMember = []byte(`"Key":"`)

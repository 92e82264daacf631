package main

import (
	"context"
	"net/url"
	"time"

	"go4.org/mem"
	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
	"tailscale.com/net/netmon"
	"tailscale.com/types/key"
)

// realClient is the DERP client of tailscaled. It trusts a relay's certificate
// by $SSL_CERT_FILE.
type realClient struct {
	http *derphttp.Client
	key  key.NodePublic
}

func dialReal(where *url.URL) (*realClient, error) {
	private := key.NewNode()
	http, err := derphttp.NewClient(private, where.JoinPath("derp").String(), func(string, ...any) {}, netmon.NewStatic())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := http.Connect(ctx); err != nil {
		return nil, err
	}
	for { // until the relay knows it, or a first packet to it might be lost
		message, err := http.Recv()
		if err != nil {
			return nil, err
		}
		if _, welcome := message.(derp.ServerInfoMessage); welcome {
			return &realClient{http, private.Public()}, nil
		}
	}
}

func (c *realClient) public() [32]byte { return c.key.Raw32() }

func (c *realClient) packet() ([]byte, error) {
	for {
		message, err := c.http.Recv()
		if err != nil {
			return nil, err
		}
		if packet, ok := message.(derp.ReceivedPacket); ok {
			return packet.Data, nil
		}
	}
}

func (c *realClient) send(to [32]byte, data []byte) error {
	return c.http.Send(key.NodePublicFromRaw32(mem.B(to[:])), data)
}

func (c *realClient) close() { c.http.Close() }

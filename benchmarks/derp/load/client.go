package main

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/crypto/nacl/box"
)

const (
	frameServerKey  = 0x01
	frameClientInfo = 0x02
	frameServerInfo = 0x03
	frameSendPacket = 0x04
	frameRecvPacket = 0x05
)

// peer is one end of what is measured.
type peer interface {
	public() [32]byte
	send(to [32]byte, data []byte) error
	// packet returns the next one that comes, good until the next call.
	packet() ([]byte, error)
	close()
}

// client is the least of a DERP client that load needs: it logs in, sends one
// packet per write as the real one does, and reads packets.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	key  [32]byte
	out  []byte
	buf  []byte
}

func dial(where *url.URL, small bool) (*client, error) {
	conn, err := net.DialTimeout("tcp", where.Host, 20*time.Second)
	if err != nil {
		return nil, err
	}
	if where.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	}
	size := 1 << 16
	if small {
		size = 512
	}
	c := &client{conn: conn, in: bufio.NewReaderSize(conn, size), buf: make([]byte, 0, size)}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if err := c.login(where); err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return c, nil
}

func (c *client) login(where *url.URL) error {
	fmt.Fprintf(c.conn, "GET /derp HTTP/1.1\r\nHost: %s\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n", where.Host)
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the relay answers %s", answer.Status)
	}
	kind, payload, err := c.read()
	if err != nil || kind != frameServerKey || len(payload) < 40 {
		return errors.Join(errors.New("no server key"), err)
	}
	server := [32]byte(payload[8:40])
	public, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	c.key = *public
	var nonce [24]byte
	rand.Read(nonce[:])
	info := box.Seal(append(public[:], nonce[:]...), []byte(`{"version":2}`), &nonce, &server, private)
	head := binary.BigEndian.AppendUint32([]byte{frameClientInfo}, uint32(len(info)))
	if _, err := c.conn.Write(append(head, info...)); err != nil {
		return err
	}
	kind, _, err = c.read()
	if err != nil || kind != frameServerInfo {
		return errors.Join(errors.New("no server info"), err)
	}
	return nil
}

// read returns the next frame; its payload is good until the next call.
func (c *client) read() (byte, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, nil, err
	}
	size := int(binary.BigEndian.Uint32(head[1:]))
	if size > cap(c.buf) {
		c.buf = make([]byte, size)
	}
	_, err := io.ReadFull(c.in, c.buf[:size])
	return head[0], c.buf[:size], err
}

func (c *client) public() [32]byte { return c.key }

func (c *client) close() { c.conn.Close() }

func (c *client) packet() ([]byte, error) {
	for {
		kind, payload, err := c.read()
		if err != nil {
			return nil, err
		}
		if kind == frameRecvPacket {
			return payload[32:], nil
		}
	}
}

func (c *client) send(to [32]byte, data []byte) error {
	c.out = append(c.out[:0], frameSendPacket)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(32+len(data)))
	c.out = append(append(c.out, to[:]...), data...)
	_, err := c.conn.Write(c.out)
	return err
}

package main

import (
	"context"
	"io"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
	"tailscale.com/types/key"
)

// crowd is all clients together, and what they have learnt.
type crowd struct {
	url       string
	serverKey key.MachinePublic
	authKeys  []string
	clients   []*client
	roster    roster
	awaited   atomic.Pointer[news]
	pairs     atomic.Int64 // how often a client learnt of a node for the first time, itself included
	lastLearn atomic.Int64 // when that was last, in Unix nanoseconds
	bytes     atomic.Int64
	drops     atomic.Int64
	retries   atomic.Int64
}

func (c *crowd) learnt() {
	c.pairs.Add(1)
	c.lastLearn.Store(time.Now().UnixNano())
}

func (c *crowd) dropped(err error) {
	if c.drops.Add(1) == 1 {
		log.Print(err)
	}
}

// settle waits until nobody has learnt of a node for a while; when the last did. False if ctx ends before.
func (c *crowd) settle(ctx context.Context, quiet time.Duration) (time.Time, bool) {
	for {
		last := time.Unix(0, c.lastLearn.Load())
		if time.Since(last) >= quiet {
			return last, true
		}
		select {
		case <-ctx.Done():
			return last, false
		case <-time.After(quiet / 20):
		}
	}
}

// await starts to wait for a text at all clients that know the node of another, but for that one itself.
func (c *crowd) await(text string, about *client) *news {
	id := c.roster.number([]byte(about.nodeKey()))
	n := &news{text: []byte(text), expects: make(map[int]bool), done: make(chan struct{})}
	for _, cl := range c.clients {
		if cl != about && cl.knows.has(id) {
			n.expects[cl.number] = true
		}
	}
	n.told = len(n.expects)
	if n.told == 0 {
		close(n.done)
	}
	c.awaited.Store(n)
	return n
}

// news is a text that clients are to be told, and those who have not been yet.
type news struct {
	text    []byte
	told    int
	mu      sync.Mutex
	expects map[int]bool
	last    time.Time // when the latest of them was told
	done    chan struct{}
}

func (n *news) reached(number int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.expects[number] {
		n.last = time.Now()
		if delete(n.expects, number); len(n.expects) == 0 {
			close(n.done)
		}
	}
}

// missed tells how many are still not told, and when the last of the others was; began where none was.
func (n *news) missed(began time.Time) (int, time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last.IsZero() {
		return len(n.expects), began
	}
	return len(n.expects), n.last
}

// roster numbers node keys in the order in which they are first met.
type roster struct {
	mu      sync.RWMutex
	numbers map[string]int
}

func (r *roster) number(id []byte) int {
	r.mu.RLock()
	number, ok := r.numbers[string(id)]
	r.mu.RUnlock()
	if ok {
		return number
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if number, ok = r.numbers[string(id)]; !ok {
		number = len(r.numbers)
		r.numbers[string(id)] = number
	}
	return number
}

// bitset is a set of small numbers that its owner writes and others may read.
type bitset struct {
	mu    sync.Mutex
	words []uint64
}

func (b *bitset) add(number int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for number/64 >= len(b.words) {
		b.words = append(b.words, 0)
	}
	was := b.words[number/64]
	b.words[number/64] |= 1 << (number % 64)
	return was != b.words[number/64]
}

func (b *bitset) has(number int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return number/64 < len(b.words) && b.words[number/64]&(1<<(number%64)) != 0
}

func (b *bitset) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.words = nil
}

// unpacker reads frames; few serve all streams, for each has buffers as large as the largest frame it has met.
type unpacker struct {
	*zstd.Decoder
	packed, plain []byte
}

// Thousands of small frames are under way at once, and few large ones may be, for a netmap of a large tailnet takes
// megabytes unpacked.
const (
	largeFrame = 64 << 10
	mostLarge  = 16
)

var (
	small, large = sync.Pool{New: newUnpacker}, sync.Pool{New: newUnpacker}
	room         = make(chan struct{}, mostLarge)
)

func newUnpacker() any {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return &unpacker{Decoder: decoder}
}

// unpacked gives a frame of a size, as it reads it, to use.
func unpacked(from io.Reader, size int, use func(packed, plain []byte)) error {
	pool := &small
	if size > largeFrame {
		pool = &large
		room <- struct{}{}
		defer func() { <-room }()
	}
	u := pool.Get().(*unpacker)
	defer pool.Put(u)
	plain, err := u.read(from, size)
	if err == nil {
		use(u.packed, plain)
	}
	return err
}

func (u *unpacker) read(from io.Reader, size int) ([]byte, error) {
	if cap(u.packed) < size {
		u.packed = make([]byte, size)
	}
	u.packed = u.packed[:size]
	if _, err := io.ReadFull(from, u.packed); err != nil {
		return nil, err
	}
	var err error
	u.plain, err = u.DecodeAll(u.packed, u.plain[:0])
	return u.plain, err
}

package origin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
)

// period is the length after which a Pattern repeats: longer than any buffer that
// may be lost or doubled at once, and no multiple of a usual size.
const period = 1<<20 + 7

// block is one period of noise.
var block = sync.OnceValue(func() []byte { //nolint:gochecknoglobals // a constant that is too long to be written down
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise, the same in every process
	p := make([]byte, period)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
})

// Pattern is a body: Size bytes that nobody stores. The bytes of different seeds
// differ at (almost) every offset.
type Pattern struct {
	Seed uint32
	Size int64
}

// at returns bytes from an offset on, up to the end of a period.
func (p Pattern) at(off int64) []byte {
	b := block()[(uint64(off)+uint64(p.Seed)*7919)%period:]
	return b[:min(int64(len(b)), p.Size-off)]
}

// Reader returns the body.
func (p Pattern) Reader() io.Reader { return &reader{p: p} }

// Bytes returns the body at once.
func (p Pattern) Bytes() []byte {
	b := make([]byte, 0, p.Size)
	for off := int64(0); off < p.Size; {
		part := p.at(off)
		b, off = append(b, part...), off+int64(len(part))
	}
	return b
}

type reader struct {
	p   Pattern
	off int64
}

// Read implements io.Reader.
func (r *reader) Read(b []byte) (int, error) {
	if r.off >= r.p.Size {
		return 0, io.EOF
	}
	n := copy(b, r.p.at(r.off))
	r.off += int64(n)
	return n, nil
}

// ErrWrongBytes is what a body is that is not its Pattern, and ErrTruncated one that
// is the beginning of it and seems to be whole. One that breaks off has the error of
// its reader instead.
var (
	ErrWrongBytes = errors.New("origin: wrong bytes")
	ErrTruncated  = errors.New("origin: cut short without an error")
)

// Check reads r to its end and returns how much of it was right, and as an error
// ErrWrongBytes, ErrTruncated or that of r.
func (p Pattern) Check(r io.Reader) (int64, error) {
	c := &Checker{p: p}
	_, err := io.CopyBuffer(c, onlyReader{r}, make([]byte, 64<<10))
	if err == nil {
		err = c.Done()
	}
	return c.off, err
}

// onlyReader hides WriterTo, which might write everything at once.
type onlyReader struct{ io.Reader }

// Checker compares what is written with a Pattern.
type Checker struct {
	p   Pattern
	off int64
}

// NewChecker returns a Checker at the beginning of p.
func (p Pattern) NewChecker() *Checker { return &Checker{p: p} }

// Offset is how much has been right so far.
func (c *Checker) Offset() int64 { return c.off }

// Write implements io.Writer. The error is ErrWrongBytes.
func (c *Checker) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		want := c.p.at(c.off)
		if len(want) == 0 {
			return len(b) - len(rest), fmt.Errorf("%w: more than %d", ErrWrongBytes, c.p.Size)
		}
		n := min(len(rest), len(want))
		if !bytes.Equal(rest[:n], want[:n]) {
			i := 0
			for rest[i] == want[i] {
				i++
			}
			return len(b) - len(rest) + i, fmt.Errorf("%w: at %d of %d", ErrWrongBytes, c.off+int64(i), c.p.Size)
		}
		c.off += int64(n)
		rest = rest[n:]
	}
	return len(b), nil
}

// Done returns ErrTruncated if something is missing.
func (c *Checker) Done() error {
	if c.off < c.p.Size {
		return fmt.Errorf("%w: %d of %d", ErrTruncated, c.off, c.p.Size)
	}
	return nil
}

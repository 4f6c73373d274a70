// Command upstream answers every HTTP/1.1 request as cheaply as Go can, so that the
// proxy in front of it is what a measurement sees. The body of the response has as
// many bytes as the path says: /10240 has 10,240; other paths have 12.
// Usage: upstream ADDR.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

const (
	defaultBody = 12
	maxBody     = 64 << 20
)

func main() {
	fmt.Fprintln(os.Stderr, "upstream:", run(os.Args[1]))
	os.Exit(1) //nolint:forbidigo // the end of a program
}

// run listens until that fails.
func run(addr string) error {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return err
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go serve(c)
	}
}

func serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReaderSize(c, 4<<10)
	size, message := -1, []byte(nil)
	for {
		want, err := readRequest(r)
		if err != nil {
			return
		}
		if want != size {
			size, message = want, response(want)
		}
		if _, err := c.Write(message); err != nil {
			return
		}
	}
}

// readRequest skips a request and returns the size of the body that it asks for.
func readRequest(r *bufio.Reader) (int, error) {
	var skip int64
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	want := wanted(line)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if k, v, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(k, []byte("content-length")) {
			skip, _ = strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64)
		}
	}
	if skip > 0 {
		_, err = io.CopyN(io.Discard, r, skip)
	}
	return want, err
}

func wanted(line []byte) int {
	_, rest, _ := bytes.Cut(line, []byte(" /"))
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = min(n*10+int(c-'0'), maxBody)
	}
	if n == 0 {
		return defaultBody
	}
	return n
}

func response(size int) []byte {
	m := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", size)
	return append(m, bytes.Repeat([]byte("x"), size)...)
}

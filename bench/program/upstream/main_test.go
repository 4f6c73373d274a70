package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBodyHasTheSizeOfThePath(t *testing.T) {
	client, server := net.Pipe()
	go serve(server)
	defer client.Close()
	r := bufio.NewReader(client)
	for _, c := range []struct {
		path string
		want int
	}{{"/", 12}, {"/10240", 10240}, {"/7?a=b", 7}, {"/name", 12}} {
		_, err := io.WriteString(client, "POST "+c.path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
		require.NoError(t, err)
		resp, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Len(t, body, c.want, c.path)
	}
}

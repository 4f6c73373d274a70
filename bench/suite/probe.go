package suite

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"github.com/weft-mesh/weft/bench/contender"
	"github.com/weft-mesh/weft/bench/load"
)

// probe sends a request to each address of a proxy.
func probe(ctx context.Context, site contender.Site) error {
	if site.Family == contender.GRPC {
		return probeGRPC(ctx, site.Address(false))
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!site.H2())
	protocols.SetHTTP2(site.H2())
	protocols.SetUnencryptedHTTP2(site.H2())
	t := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer t.CloseIdleConnections()
	for _, url := range []string{"http://" + site.Address(false) + "/", "https://" + site.Address(true) + "/"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		req.Host = load.Authority
		resp, err := t.RoundTrip(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK || len(body) != 12 {
			return fmt.Errorf("status %d with %d bytes: %.100q", resp.StatusCode, len(body), body)
		}
	}
	return nil
}

func probeGRPC(ctx context.Context, addr string) error {
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithAuthority(load.Authority),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = testgrpc.NewTestServiceClient(conn).UnaryCall(ctx, &testgrpc.SimpleRequest{})
	return err
}

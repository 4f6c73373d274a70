package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
)

func TestFailuresCountEveryPrefix(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("svc/x")
	f := telemetry.NewFailures(s, telemetry.FailuresOptions{})
	f.Record("A", "B")
	f.Record("A")
	f.Record("B")
	f.Record()
	assert.Equal(t, []string{
		"failures counter 4", "failures/A counter 2", "failures/A/B counter 1", "failures/B counter 1",
	}, dump(s))
	assert.Equal(t, int64(4), f.Total())

	telemetry.NewFailures(s, telemetry.FailuresOptions{Name: "exn"}).RecordError(nil)
	assert.Contains(t, dump(s), "exn/"+telemetry.FailureResponse+" counter 1")
}

func TestFailuresAreBounded(t *testing.T) {
	tree := newTree(t)
	f := telemetry.NewFailures(tree.Scope(), telemetry.FailuresOptions{Max: 3})
	f.Record("A", "B") // two names
	for i := range 100 {
		f.Record(fmt.Sprint("new", i)) // the first is the third name
		f.Record("A", fmt.Sprint("new", i), "more")
	}
	f.Record("A", "B")
	assert.Equal(t, []string{
		"failures counter 202",
		"failures/A counter 102",
		"failures/A/B counter 2",
		"failures/A/other counter 100",
		"failures/new0 counter 1",
		"failures/other counter 99",
	}, dump(tree.Scope()))
}

func TestFailuresConcurrently(t *testing.T) {
	tree := newTree(t)
	f := telemetry.NewFailures(tree.Scope(), telemetry.FailuresOptions{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				f.Record(fmt.Sprint(i%5), "cause")
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(4000), f.Total())
	assert.Equal(t, int64(800), tree.Scope("failures").Counter("3", "cause").Value())
	if !raceEnabled {
		assert.Zero(t, testing.AllocsPerRun(100, func() { f.Record("1", "cause") }))
	}
}

func TestFailureNames(t *testing.T) {
	boom := errors.New("boom")
	at := func(s weft.Stage, err error) error {
		return fmt.Errorf("wrapped: %w", &weft.Error{Stage: s, Err: err})
	}
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	dialTimeout := &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	for _, v := range []struct {
		err  error
		want []string
	}{
		{nil, []string{"com.twitter.finagle.service.ResponseClassificationSyntheticException"}},
		{at(weft.StageIdentify, boom), []string{"io.buoyant.router.RoutingFactory$UnknownDst"}},
		{at(weft.StageBind, boom), []string{"com.twitter.finagle.NoBrokersAvailableException"}},
		{at(weft.StagePick, boom), []string{"com.twitter.finagle.NoBrokersAvailableException"}},
		{at(weft.StageConnect, boom), []string{"com.twitter.finagle.ConnectionFailedException"}},
		{at(weft.StageConnect, refused), []string{"com.twitter.finagle.ConnectionFailedException", "java.net.ConnectException"}},
		{at(weft.StageConnect, dialTimeout), []string{"com.twitter.finagle.ConnectionFailedException", "io.netty.channel.ConnectTimeoutException"}},
		{at(weft.StageConnect, &net.DNSError{IsTimeout: true}), []string{"com.twitter.finagle.ConnectionFailedException", "java.net.UnknownHostException"}},
		{at(weft.StageSend, syscall.EPIPE), []string{"com.twitter.finagle.ChannelWriteException"}},
		{at(weft.StageReceive, io.EOF), []string{"com.twitter.finagle.ChannelClosedException"}},
		{at(weft.StageReceive, syscall.ECONNRESET), []string{"com.twitter.finagle.ChannelClosedException"}},
		{at(weft.StageReceive, boom), []string{"com.twitter.finagle.UnknownChannelException"}},
		{at(weft.StageReceive, context.DeadlineExceeded), []string{"com.twitter.finagle.IndividualRequestTimeoutException"}},
		{at(weft.StageDeadline, context.DeadlineExceeded), []string{"com.twitter.finagle.GlobalRequestTimeoutException"}},
		{at(weft.StageReceive, context.Canceled), []string{"com.twitter.finagle.CancelledRequestException"}},
		{io.ErrUnexpectedEOF, []string{"com.twitter.finagle.ChannelClosedException"}},
		{boom, []string{"com.twitter.finagle.Failure"}},
	} {
		assert.Equal(t, v.want, telemetry.FailureNames(v.err), "%v", v.err)
	}
}

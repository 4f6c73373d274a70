package weft_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

func TestEndpointShare(t *testing.T) {
	for weight, share := range map[float64]float64{0: 1, 1: 1, 0.25: 0.25, -1: 0, 12: 12} {
		assert.InDelta(t, share, weft.Endpoint{Weight: weight}.Share(), 0, "weight %v", weight)
	}
}

func TestStatusesAreOrderedByPreference(t *testing.T) {
	assert.Greater(t, weft.Open, weft.Busy)
	assert.Greater(t, weft.Busy, weft.Closed)
	assert.Equal(t, "open busy closed", fmt.Sprint(weft.Open, " ", weft.Busy, " ", weft.Closed))
}

func TestClasses(t *testing.T) {
	assert.False(t, weft.Success.Failed())
	assert.True(t, weft.Failure.Failed())
	assert.True(t, weft.Retryable.Failed())
	assert.False(t, weft.Ignored.Failed())
	var zero weft.Result
	assert.Equal(t, "success", zero.Class.String())
	assert.Equal(t, "failure retryable ignored", fmt.Sprint(weft.Failure, " ", weft.Retryable, " ", weft.Ignored))
}

func TestErrorSaysWhereAndWhy(t *testing.T) {
	err := fmt.Errorf("calling: %w", &weft.Error{Stage: weft.StageConnect, Dst: dtab.MustPath("/#/fs/web"), Unsent: true, Err: io.EOF})
	assert.EqualError(t, err, "calling: connect /#/fs/web: EOF")
	require.ErrorIs(t, err, io.EOF)
	assert.True(t, weft.IsUnsent(err))
	assert.False(t, weft.IsUnsent(&weft.Error{Stage: weft.StageReceive, Err: io.EOF}))
	assert.False(t, weft.IsUnsent(errors.New("other")))
	assert.Equal(t, "unknown stage", weft.Stage(99).String())
	stages := []weft.Stage{
		weft.StageIdentify, weft.StageBind, weft.StagePick, weft.StageConnect,
		weft.StageSend, weft.StageReceive, weft.StageDeadline,
	}
	for i, s := range stages {
		assert.NotEqual(t, "unknown stage", s.String())
		if i > 0 {
			assert.Greater(t, s, stages[i-1], "stages are in the order of the request path")
		}
	}
}

func TestLocalDtabTravelsInTheContext(t *testing.T) {
	ctx := context.Background()
	assert.Nil(t, weft.LocalDtab(ctx))
	assert.Equal(t, ctx, weft.AddDtab(ctx, nil), "nothing to add")
	ctx = weft.WithDtab(ctx, dtab.MustParse("/a=>/b"))
	more := weft.AddDtab(ctx, dtab.MustParse("/a=>/c"))
	assert.Equal(t, "/a=>/b;/a=>/c", weft.LocalDtab(more).String(), "what is added wins, so it comes last")
	other := weft.AddDtab(ctx, dtab.MustParse("/a=>/d"))
	assert.Equal(t, "/a=>/b;/a=>/c", weft.LocalDtab(more).String(), "siblings do not share memory")
	assert.Equal(t, "/a=>/b;/a=>/d", weft.LocalDtab(other).String())
	assert.Equal(t, "/a=>/b", weft.LocalDtab(ctx).String())
	assert.Equal(t, "/x=>/y", weft.LocalDtab(weft.WithDtab(more, dtab.MustParse("/x=>/y"))).String(), "WithDtab replaces")
}

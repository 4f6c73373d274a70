package propagation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/propagation"
)

func TestLowerName(t *testing.T) {
	for _, name := range []string{
		propagation.HeaderDeadline, propagation.HeaderCtxDtab, propagation.HeaderDtab, propagation.HeaderTrace, propagation.HeaderSample,
		propagation.HeaderReqID, "Traceparent", "Tracestate", "B3", "X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid", "X-B3-Sampled",
		"X-B3-Flags", "L5d-Ctx-Other", "already-lower", "",
	} {
		assert.Equal(t, strings.ToLower(name), propagation.LowerName(name))
	}
	lower := ""
	assert.Zero(t, testing.AllocsPerRun(100, func() { lower = propagation.LowerName(propagation.HeaderTrace) }), lower)
}

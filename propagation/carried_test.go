package propagation_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/propagation"
)

func TestUnknownContextHeadersAreCarriedOn(t *testing.T) {
	ctx := propagation.CarryOn(context.Background(), map[string][]string{
		"L5d-Ctx-Thing":    {"a", "b"},
		"l5d-ctx-other":    {"c"},
		"L5d-Ctx-Deadline": {"not a deadline"},
		"L5d-Ctx-":         {"no name"},
		"L5d-Name":         {"/not/context"},
		"Accept":           {"*/*"},
	})
	got := map[string][]string{}
	for k, v := range propagation.Carried(ctx) {
		got[k] = append(got[k], v)
	}
	assert.Equal(t, map[string][]string{"L5d-Ctx-Thing": {"a", "b"}, "l5d-ctx-other": {"c"}}, got)
	for range propagation.Carried(ctx) {
		break
	}
	none := context.Background()
	assert.Equal(t, none, propagation.CarryOn(none, map[string][]string{"Accept": {"*/*"}}))
	for k := range propagation.Carried(none) {
		t.Error(k)
	}
}

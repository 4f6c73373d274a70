package httpapi_test

import (
	"testing"

	"github.com/weft-mesh/weft/internal/apitest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
)

func TestVectors(t *testing.T) {
	apitest.Run(t, func(*testing.T) namerd.Store { return memory.New(memory.Options{}) }, apitest.Options{Literal: true})
}

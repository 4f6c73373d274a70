package meshhttp

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// serving is one request at a Handler.
type serving struct {
	h       *Handler
	r       *http.Request
	begun   time.Time
	span    *telemetry.Span
	status  int
	failure string // where the request failed, for the span

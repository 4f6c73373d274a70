package meshhttp_test

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
)

func itoa(n int) string { return strconv.Itoa(n) }

func writeChunk(w io.Writer, s string) { _, _ = fmt.Fprintf(w, "%x\r\n%s\r\n", len(s), s) }

func mustDtab(s string) dtab.Dtab { return dtab.MustParse(s) }

type textError string

func (e textError) Error() string { return string(e) }

// deadlineIn is the header of a deadline that far from now.
func deadlineIn(d time.Duration) string {
	now := time.Now()
	return "l5d-ctx-deadline: " + propagation.Deadline{Timestamp: now, At: now.Add(d)}.String()
}

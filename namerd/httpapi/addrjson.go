package httpapi

import (
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// addrJSON has pointers so that a bound set shows its fields even if they are empty
// and the other types do not have them.
type addrJSON struct {
	Type  string          `json:"type"`
	Addrs *[]endpointJSON `json:"addrs,omitempty"`
	Meta  *map[string]any `json:"meta,omitempty"`
	Cause *string         `json:"cause,omitempty"`
}

type endpointJSON struct {
	IP   string         `json:"ip"`
	Port uint16         `json:"port"`
	Meta map[string]any `json:"meta"`
}

// newAddrJSON returns the form of what is known of a set of endpoints. Those that
// have no address to connect to are left out.
func newAddrJSON(s naming.State[weft.EndpointSet]) addrJSON {
	switch {
	case s.Pending():
		return addrJSON{Type: "pending"}
	case !s.Known:
		cause := s.Err.Error()
		return addrJSON{Type: "failed", Cause: &cause}
	case s.Value.Neg:
		return addrJSON{Type: "neg"}
	}
	addrs := make([]endpointJSON, 0, len(s.Value.Endpoints))
	for _, e := range s.Value.Endpoints {
		if j, ok := newEndpointJSON(e); ok {
			addrs = append(addrs, j)
		}
	}
	meta := newMetaJSON(s.Value.Meta)
	if w, err := strconv.ParseFloat(s.Value.Meta[naming.MetaTreeWeight], 64); err == nil {
		meta[naming.MetaTreeWeight] = double(w)
	}
	return addrJSON{Type: "bound", Addrs: &addrs, Meta: &meta}
}

// metaWeight is the key of an endpoint's weight, a number, in its metadata.
const metaWeight = "endpoint_addr_weight"

func newEndpointJSON(e weft.Endpoint) (j endpointJSON, ok bool) {
	if e.Local != "" {
		return j, false
	}
	at, err := netip.ParseAddrPort(e.Addr)
	if err != nil {
		return j, false
	}
	j = endpointJSON{IP: at.Addr().String(), Port: at.Port(), Meta: newMetaJSON(e.Meta)}
	if e.Weight != 0 {
		j.Meta[metaWeight] = double(e.Share())
	}
	return j, true
}

func newMetaJSON(m map[string]string) map[string]any {
	out := make(map[string]any, len(m)+1)
	for k, v := range m {
		out[k] = v
	}
	return out
}

// double is a number as Java shows it: 1.0, 0.25, 1.0E-4. JSON has none that is
// infinite: the largest there is stands for that.
type double float64

// MarshalJSON implements json.Marshaler.
func (d double) MarshalJSON() ([]byte, error) {
	f := min(max(float64(d), 0), math.MaxFloat64)
	if math.IsNaN(f) {
		f = 0
	}
	if f == 0 || f >= 1e-3 && f < 1e7 {
		text := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return []byte(text), nil
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return nil, err
	}
	return []byte(digits + "E" + strconv.Itoa(n)), nil
}

package weft

// Endpoint is one address that a request may be sent to. Two endpoints with the
// same Addr are the same endpoint: what has been learned about it (load, breaker,
// counters) survives a change of the other fields.
type Endpoint struct {
	// Addr is host:port with a literal IP address, as net.Dial takes it.
	Addr string

	// Weight is the endpoint's relative share of the traffic of its set. Zero is
	// the default share, 1; a negative weight takes no traffic.
	Weight float64

	// Local names an answer that the adapter gives itself instead of sending the
	// request anywhere, such as "http.status/401". Addr then only identifies it.
	Local string

	// Meta is what service discovery knows about the endpoint ("nodeName",
	// "authority", …). It must not be written to after the endpoint was published.
	Meta map[string]string
}

// Share returns the endpoint's effective weight: 1 for the zero Weight, 0 for a
// negative one.
func (e Endpoint) Share() float64 {
	switch {
	case e.Weight == 0:
		return 1
	case e.Weight < 0:
		return 0
	default:
		return e.Weight
	}
}

// EndpointSet is the full set of endpoints behind a concrete name. It is
// immutable once published; updates publish a new set, never a difference.
type EndpointSet struct {
	// Endpoints in the order in which discovery gave them, without duplicates of
	// Addr.
	Endpoints []Endpoint

	// Neg reports that the name has no set at all, which is a different answer
	// from a set that is empty at the moment. Endpoints is empty when Neg is set.
	Neg bool

	// Meta is what discovery says about the set as a whole; "authority" asks HTTP
	// adapters to rewrite Host.
	Meta map[string]string
}

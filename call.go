package weft

// Call is what a balancing policy may know about the request it places. The zero
// Call asks for any endpoint.
type Call struct {
	// Key is a hash that policies with affinity use; zero means that the request
	// has none.
	Key uint64

	// Avoid is the address of the endpoint that a previous attempt of the same
	// request failed on. Policies choose another one where there is a choice.
	Avoid string
}

// Status is whether something can take a request. The order is that of
// preference: a higher status is the better one.
type Status uint32

// The statuses of an endpoint, worst first.
const (
	Closed Status = iota // gone for good
	Busy                 // refuses for now: its breaker is shut or it is at a limit
	Open                 // takes requests
)

// String returns the status's name in lower case.
func (s Status) String() string {
	switch s {
	case Open:
		return "open"
	case Busy:
		return "busy"
	default:
		return "closed"
	}
}

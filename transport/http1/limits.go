package http1

// limits bound what a peer may make us read and keep. The zero value allows
// nothing: see withDefaults.
type limits struct {
	line    int // bytes of a start line
	header  int // bytes of all field lines of a head
	fields  int // field lines of a head
	trailer int // bytes of all field lines of a trailer
	chunk   int // bytes of a line with a chunk's size and its extensions

	body int64 // bytes of a body; zero: no limit
}

// Defaults. The first two are Linkerd's; field lines are bounded because each costs
// memory beyond its bytes; a chunk's line has room for the signatures that some
// clients put there.
const (
	defaultLine   = 4 << 10
	defaultHeader = 8 << 10
	defaultFields = 200
	defaultChunk  = 1 << 10
)

// slack is how many bytes of chunk lines beyond the plain sizes a body may have in
// all, so that extensions cannot be most of what is read (CVE-2023-39326).
const slack = 16 << 10

func (l limits) withDefaults() limits {
	if l.line <= 0 {
		l.line = defaultLine
	}
	if l.header <= 0 {
		l.header = defaultHeader
	}
	if l.fields <= 0 {
		l.fields = defaultFields
	}
	if l.trailer <= 0 {
		l.trailer = l.header
	}
	if l.chunk <= 0 {
		l.chunk = defaultChunk
	}
	return l
}

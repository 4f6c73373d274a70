package propagation

// Carrier is a set of headers, such as http.Header. Keys are compared without
// regard to case.
type Carrier interface {
	Values(key string) []string
	Set(key, value string)
	Del(key string)
}

// The headers, in the spelling of http.Header so that look-ups in it need not
// fold case.
const (
	HeaderDeadline = "L5d-Ctx-Deadline"
	HeaderCtxDtab  = "L5d-Ctx-Dtab"
	HeaderDtab     = "L5d-Dtab"
	HeaderTrace    = "L5d-Ctx-Trace"
	HeaderSample   = "L5d-Sample"
	HeaderReqID    = "L5d-Reqid"
)

package meshh2

// The names of the header fields that the rules of this package are about. Those
// that carry context belong to package propagation, which spells them in another
// way.
const (
	nameMethod      = ":method"
	nameScheme      = ":scheme"
	nameAuthority   = ":authority"
	namePath        = ":path"
	nameStatus      = ":status"
	nameDstService  = "l5d-dst-service"
	nameDstClient   = "l5d-dst-client"
	nameDstRes      = "l5d-dst-residual"
	nameSuccess     = "l5d-success-class"
	nameErr         = "l5d-err"
	nameVia         = "via"
	nameForwarded   = "forwarded"
	nameClientCert  = "x-forwarded-client-cert"
	nameType        = "content-type"
	nameLength      = "content-length"
	nameTimeout     = "grpc-timeout"
	nameGRPCStatus  = "grpc-status"
	nameGRPCText    = "grpc-message"
	prefixL5d       = "l5d-"
	nameB3          = "b3"
	nameTraceParent = "traceparent"
	prefixB3        = "x-b3-"
)

package k8s

// Access says how to reach the API server. The zero value is what people expect of
// a program that knows nothing: the service account of the pod it runs in, and
// outside of a cluster the kubeconfig that kubectl would use ($KUBECONFIG, then
// ~/.kube/config). Of URL, Host or Port, and Kubeconfig or Context at most one may
// be set.
type Access struct {
	// Host and Port are of a server that speaks plain HTTP and needs no credentials,
	// such as kubectl proxy. If one of them is set the other has its default, localhost
	// and 8001.
	Host string
	Port int

	// Kubeconfig is the path of a kubeconfig file, empty for the usual ones, and
	// Context one of its contexts, empty for the current one.
	Kubeconfig, Context string

	// URL is where the server is, such as https://10.0.0.1:6443. Credentials and TLS
	// are then those below.
	URL string

	// Token is a bearer token, TokenFile a file that holds one. The file may be replaced
	// at any time.
	Token, TokenFile string

	// CAFile holds the certificates that the server's must be signed by, in PEM; it may
	// be replaced. Empty are the system's.
	CAFile string

	// CertFile and KeyFile are a client certificate and its key; they may be replaced.
	CertFile, KeyFile string

	// ServerName is the name that the server's certificate must have, if it is not the
	// host of URL. InsecureSkipVerify takes any certificate.
	ServerName         string
	InsecureSkipVerify bool
}

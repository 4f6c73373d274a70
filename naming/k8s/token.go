package k8s

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

// tokenFile adds the bearer token in a file to requests. It reads the file for each
// of them, because there are few, watches being what they are, and because a token
// that has been replaced then counts at once.
type tokenFile struct {
	path string
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t tokenFile) RoundTrip(req *http.Request) (*http.Response, error) {
	text, err := os.ReadFile(t.path)
	if err != nil {
		return nil, fmt.Errorf("reading the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return nil, fmt.Errorf("reading the token: %s is empty", t.path)
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return t.base.RoundTrip(req)
}

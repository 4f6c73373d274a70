package zipkin_test

import (
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes a proxy that is not there that of the process: net/http reads the
// environment once.
func TestMain(m *testing.M) {
	if err := os.Setenv("HTTP_PROXY", "http://127.0.0.1:1"); err != nil {
		panic(err)
	}
	req, err := http.NewRequest(http.MethodGet, "http://example.test/", http.NoBody)
	if err != nil {
		panic(err)
	}
	if to, err := http.ProxyFromEnvironment(req); err != nil || to == nil {
		panic("the environment was read before")
	}
	if err := os.Unsetenv("HTTP_PROXY"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

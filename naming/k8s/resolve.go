package k8s

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ErrNoCluster is in the chain of the error of an Access that does not say where
// the API server is when nothing around says so either.
var ErrNoCluster = errors.New("no API server is known")

// serviceAccountDir is where Kubernetes puts the credentials of a pod.
const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// surroundings is where an Access is completed from.
type surroundings struct {
	getenv         func(string) string
	serviceAccount string // directory
}

// config returns what Access says in the words of client-go.
func (s surroundings) config(a Access) (*rest.Config, error) {
	plain, explicit, kubeconfig := a.Host != "" || a.Port != 0, a.URL != "", a.Kubeconfig != "" || a.Context != ""
	switch {
	case plain && explicit, plain && kubeconfig, explicit && kubeconfig:
		return nil, errors.New("k8s: of Host or Port, URL, and Kubeconfig or Context only one may be set")
	case plain:
		return plainConfig(a)
	case explicit:
		return &rest.Config{
			Host: a.URL, BearerToken: a.Token, BearerTokenFile: a.TokenFile,
			TLSClientConfig: rest.TLSClientConfig{
				CAFile: a.CAFile, CertFile: a.CertFile, KeyFile: a.KeyFile,
				ServerName: a.ServerName, Insecure: a.InsecureSkipVerify,
			},
		}, nil
	case !kubeconfig:
		if c := s.inCluster(); c != nil {
			return c, nil
		}
	}
	return s.kubeconfig(a)
}

// plainConfig is for a kubectl proxy.
func plainConfig(a Access) (*rest.Config, error) {
	if a.Host == "" {
		a.Host = "localhost"
	}
	if a.Port == 0 {
		a.Port = 8001
	}
	if a.Port < 0 || a.Port > 65535 {
		return nil, fmt.Errorf("k8s: port %d: must be a number from 1 to 65535", a.Port)
	}
	if a.Port == 80 {
		return &rest.Config{Host: "http://" + a.Host}, nil // the Host header has no port then
	}
	return &rest.Config{Host: "http://" + net.JoinHostPort(a.Host, strconv.Itoa(a.Port))}, nil
}

// inCluster returns the access of a pod, nil outside of one. It is
// rest.InClusterConfig without its log to stderr.
func (s surroundings) inCluster() *rest.Config {
	host, port := s.getenv("KUBERNETES_SERVICE_HOST"), s.getenv("KUBERNETES_SERVICE_PORT")
	token, ca := filepath.Join(s.serviceAccount, "token"), filepath.Join(s.serviceAccount, "ca.crt")
	if _, err := os.Stat(token); err != nil || host == "" || port == "" {
		return nil
	}
	c := &rest.Config{Host: "https://" + net.JoinHostPort(host, port), BearerTokenFile: token}
	if _, err := os.Stat(ca); err == nil {
		c.CAFile = ca
	}
	return c
}

func (s surroundings) kubeconfig(a Access) (*rest.Config, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: a.Kubeconfig}
	if a.Kubeconfig == "" {
		rules.Precedence = filepath.SplitList(s.getenv("KUBECONFIG"))
		if home := s.getenv("HOME"); len(rules.Precedence) == 0 && home != "" {
			rules.Precedence = []string{filepath.Join(home, ".kube", "config")}
		}
	}
	loaded, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("k8s: kubeconfig: %w", err)
	}
	if a.Kubeconfig == "" && clientcmdapi.IsConfigEmpty(loaded) {
		return nil, fmt.Errorf("k8s: %w: this is no pod of a cluster, and there is no kubeconfig in %v", ErrNoCluster, rules.Precedence)
	}
	c, err := clientcmd.NewNonInteractiveClientConfig(*loaded, a.Context, &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("k8s: kubeconfig: %w", err)
	}
	return c, nil
}

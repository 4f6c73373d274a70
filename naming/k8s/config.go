package k8s

import "github.com/weft-mesh/weft/dtab"

// Config is the configuration of a namer.
type Config struct {
	// Access says how to reach the API server.
	Access Access

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/io.l5d.k8s, /#/io.l5d.k8s.ns or /#/io.l5d.k8s.external.
	Prefix dtab.Path

	// LabelSelector is the name of a label, whose value is then part of names. Empty is
	// none.
	LabelSelector string

	// EnvVar is the environment variable that holds the namespace of NewNamespaced.
	// Empty is POD_NAMESPACE.
	EnvVar string
}

// ConfigMapConfig is the configuration of a ConfigMapDtab.
type ConfigMapConfig struct {
	// Access says how to reach the API server.
	Access Access

	// Namespace and Name are of the ConfigMap. Name is required; the empty Namespace is
	// default.
	Namespace, Name string

	// Filename is the key whose value is the dtab. It is required.
	Filename string
}

// IngressConfig is the configuration of Ingresses.
type IngressConfig struct {
	// Access says how to reach the API server.
	Access Access

	// Namespace is the one whose ingresses are watched. Empty are all.
	Namespace string
}

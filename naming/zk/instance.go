package zk

import (
	"encoding/json"
	"fmt"
	"strings"
)

// instance is an instance of a service as Curator registers it.
type instance struct {
	addr    hostPort
	ssl     bool
	enabled bool
}

// parseInstance reads the JSON of Curator's JsonInstanceSerializer: the port for TLS
// if it has one, or else the other. Versions before 2.12 do not write whether it is
// enabled; it is.
func parseInstance(_ string, data []byte) (instance, error) {
	var j struct {
		Address string `json:"address"`
		Port    *int   `json:"port"`
		SSLPort *int   `json:"sslPort"`
		Enabled *bool  `json:"enabled"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return instance{}, fmt.Errorf("want JSON of an instance of Curator's service discovery: %w", err)
	}
	i := instance{addr: hostPort{Host: j.Address}, ssl: j.SSLPort != nil, enabled: j.Enabled == nil || *j.Enabled}
	switch {
	case j.SSLPort != nil:
		i.addr.Port = *j.SSLPort
	case j.Port != nil:
		i.addr.Port = *j.Port
	}
	return i, i.addr.check("address and port or sslPort")
}

// basePath returns the path of the znode of the services.
func basePath(s string) (string, error) {
	if s == "" || s == "/" {
		return "/", nil
	}
	rest, ok := strings.CutPrefix(s, "/")
	path, possible := znode(strings.Split(strings.TrimSuffix(rest, "/"), "/"))
	if !ok || !possible {
		return "", fmt.Errorf("zk: basePath: %q is not the path of a znode, such as /services", s)
	}
	return path, nil
}

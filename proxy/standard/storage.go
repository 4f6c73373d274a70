package standard

import (
	"net"
	"strconv"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/daemon"
	consulstore "github.com/weft-mesh/weft/namerd/store/consul"
	etcdstore "github.com/weft-mesh/weft/namerd/store/etcd"
	"github.com/weft-mesh/weft/namerd/store/file"
	k8sstore "github.com/weft-mesh/weft/namerd/store/k8s"
	"github.com/weft-mesh/weft/namerd/store/memory"
	zkstore "github.com/weft-mesh/weft/namerd/store/zk"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

func storages() []config.Entry {
	role, t := config.RoleStorage, config.Traits{}
	return []config.Entry{
		config.Define(role, "io.l5d.inMemory", func(c kinds.InMemoryStorage, _ daemon.StorageEnv) (namerd.Store, error) {
			return memory.New(memory.Options{Namespaces: c.Namespaces}), nil
		}, t),
		config.Define(role, "io.weft.file", func(c kinds.FileStorage, _ daemon.StorageEnv) (namerd.Store, error) {
			return file.Open(c.Path, file.Options{})
		}, t),
		config.Define(role, "io.l5d.etcd", newEtcdStore, config.Traits{Experimental: true}),
		config.Define(role, "io.l5d.consul", newConsulStore, t),
		config.Define(role, "io.l5d.zk", newZkStore, t),
		config.Define(role, "io.l5d.k8s", newK8sStore, t),
	}
}

func newEtcdStore(c kinds.EtcdStorage, e daemon.StorageEnv) (namerd.Store, error) {
	t, err := tlsfiles.ClientConfig(c.TLS)
	if err != nil {
		return nil, err
	}
	cfg := etcdstore.Config{Endpoints: c.Endpoints, PathPrefix: or(c.PathPrefix), TLS: t, Username: c.Username, Password: c.Password}
	if c.Host != "" || c.Port != nil {
		host, port := c.Host, 2379
		if host == "" {
			host = "localhost"
		}
		if c.Port != nil {
			port = *c.Port
		}
		cfg.Endpoints = []string{net.JoinHostPort(host, strconv.Itoa(port))}
	}
	return etcdstore.New(cfg, etcdstore.Options{Logger: e.Logger})
}

func newConsulStore(c kinds.ConsulStorage, e daemon.StorageEnv) (namerd.Store, error) {
	t, err := tlsfiles.ClientConfig(c.TLS)
	if err != nil {
		return nil, err
	}
	cfg := consulstore.Config{
		Host: c.Host, Port: or(c.Port), PathPrefix: or(c.PathPrefix), Token: c.Token, Datacenter: c.Datacenter,
		ReadConsistencyMode:  consulstore.Consistency(c.ReadConsistencyMode),
		WriteConsistencyMode: consulstore.Consistency(c.WriteConsistencyMode),
		FailFast:             c.FailFast, TLS: t,
	}
	if c.Backoff != nil {
		switch b := c.Backoff.Config.(type) {
		case kinds.ConstantBackoff:
			cfg.Backoff = consulstore.Backoff{Min: b.Delay, Max: b.Delay}
		case kinds.JitteredBackoff:
			cfg.Backoff = consulstore.Backoff{Min: *b.Min, Max: *b.Max}
		}
	}
	return consulstore.New(cfg, consulstore.Options{Logger: e.Logger})
}

func newZkStore(c kinds.ZkStorage, e daemon.StorageEnv) (namerd.Store, error) {
	cfg := zkstore.Config{SessionTimeout: or(c.SessionTimeout)}
	if c.PathPrefix != nil {
		cfg.PathPrefix = c.PathPrefix.String()
	}
	for _, a := range c.ZkAddrs {
		port := 2181
		if a.Port != nil {
			port = *a.Port
		}
		cfg.Addrs = append(cfg.Addrs, net.JoinHostPort(a.Host, strconv.Itoa(port)))
	}
	if c.AuthInfo != nil {
		cfg.Auth = &zkstore.AuthInfo{Scheme: c.AuthInfo.Scheme, Auth: c.AuthInfo.Auth}
	}
	for _, a := range c.ACLs {
		cfg.ACLs = append(cfg.ACLs, zkstore.ACL{Scheme: a.Scheme, ID: a.ID, Perms: a.Perms})
	}
	return zkstore.New(cfg, zkstore.Options{Logger: e.Logger})
}

func newK8sStore(c kinds.K8sStorage, e daemon.StorageEnv) (namerd.Store, error) {
	o, err := k8sOptions(c.K8sAPI, e.Shared, e.Logger)
	if err != nil {
		return nil, err
	}
	return k8sstore.New(k8sstore.Config{Namespace: c.Namespace}, k8sstore.Options{Client: o.Client, Logger: e.Logger})
}

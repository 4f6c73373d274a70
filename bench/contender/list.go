package contender

import "path/filepath"

// The names of the contenders that others are compared with.
const (
	Weft    = "weft"
	Nginx   = "nginx"
	HAProxy = "haproxy"
)

// All returns every contender, in the order in which they are published.
func All() []Contender {
	every := []Family{H1, H2, GRPC}
	return []Contender{
		{
			Name: Weft, Families: every, program: "weft", Get: "it is built from this repository",
			Configs: map[Family][]File{
				H1:   {{"weft-h1.yaml", "weft.yaml"}, {"disco", "disco/hello"}},
				H2:   {{"weft-h2.yaml", "weft.yaml"}, {"disco", "disco/hello"}},
				GRPC: {{"weft-h2.yaml", "weft.yaml"}, {"disco", "disco/hello"}},
			},
			command: func(bin string, s Site) []string { return []string{bin, "run", in(s, "weft.yaml")} },
		},
		{
			Name: Nginx, Families: every, program: "nginx", version: []string{"-v"}, Get: "apt-get install nginx-light",
			Configs: map[Family][]File{
				H1: {{"nginx-h1.conf", "nginx.conf"}}, H2: {{"nginx-h2.conf", "nginx.conf"}}, GRPC: {{"nginx-h2.conf", "nginx.conf"}},
			},
			command: func(bin string, s Site) []string {
				return []string{bin, "-e", in(s, "nginx.err"), "-c", in(s, "nginx.conf")}
			},
		},
		{
			Name: HAProxy, Families: every, program: "haproxy", version: []string{"-v"}, Get: "apt-get install haproxy",
			Configs: same(File{"haproxy.cfg", "haproxy.cfg"}),
			command: func(bin string, s Site) []string { return []string{bin, "-q", "-f", in(s, "haproxy.cfg")} },
		},
		{
			Name: "nghttpx", Families: []Family{H2, GRPC}, program: "nghttpx", version: []string{"--version"}, Get: "apt-get install nghttp2-proxy",
			Configs: same(File{"nghttpx.conf", "nghttpx.conf"}),
			command: func(bin string, s Site) []string { return []string{bin, "--conf=" + in(s, "nghttpx.conf")} },
		},
		{
			Name: "fasthttp", Families: []Family{H1}, program: "fasthttpproxy", module: "github.com/valyala/fasthttp",
			Get: "it is built from this repository", command: flags,
		},
		{
			Name: "ReverseProxy", Families: every, program: "reverseproxy",
			Get: "it is built from this repository", command: flags,
		},
		{
			Name: "caddy", Families: every, program: "caddy", module: "github.com/caddyserver/caddy/v2", Get: "make bench-wire-build",
			Configs: same(File{"Caddyfile", "Caddyfile"}),
			command: func(bin string, s Site) []string {
				return []string{bin, "run", "--adapter", "caddyfile", "--config", in(s, "Caddyfile")}
			},
		},
		{
			Name: "traefik", Families: every, program: "traefik", version: []string{"version"}, Get: "make bench-wire-build",
			Configs: same(File{"traefik.yaml", "traefik.yaml"}, File{"traefik-routes.yaml", "traefik-routes.yaml"}),
			command: func(bin string, s Site) []string { return []string{bin, "--configFile=" + in(s, "traefik.yaml")} },
		},
	}
}

func in(s Site, file string) string { return filepath.Join(s.Dir, file) }

func same(files ...File) map[Family][]File {
	return map[Family][]File{H1: files, H2: files, GRPC: files}
}

// flags is the command line of the programs of this repository.
func flags(bin string, s Site) []string {
	c := []string{bin, "-upstream", s.Upstream, "-plain", s.Address(false), "-tls", s.Address(true), "-cert", s.Cert, "-key", s.Key}
	if s.H2() {
		c = append(c, "-h2")
	}
	return c
}

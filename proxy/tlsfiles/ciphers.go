package tlsfiles

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// cipherSuites returns the suites that are named as Java or OpenSSL does; none mean
// Go's choice. Those of TLS 1.3, which cannot be chosen, are accepted and ignored.
func cipherSuites(names []string) ([]uint16, error) {
	var ids []uint16
	all := slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites())
	for _, name := range names {
		i := slices.IndexFunc(all, func(s *tls.CipherSuite) bool {
			return s.Name == name || openSSLName(s.Name) == name
		})
		if i < 0 {
			return nil, fmt.Errorf("tlsfiles: unknown cipher suite %q", name)
		}
		if !slices.Equal(all[i].SupportedVersions, []uint16{tls.VersionTLS13}) {
			ids = append(ids, all[i].ID)
		}
	}
	return ids, nil
}

// openSSLName turns TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 into
// ECDHE-RSA-AES128-GCM-SHA256.
func openSSLName(name string) string {
	name = strings.TrimPrefix(name, "TLS_")
	exchange, cipher, ok := strings.Cut(name, "_WITH_")
	if !ok {
		return name
	}
	cipher = strings.NewReplacer("AES_128", "AES128", "AES_256", "AES256", "RC4_128", "RC4", "3DES_EDE_CBC", "DES-CBC3", "_CBC", "", "CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305").Replace(cipher)
	if exchange == "RSA" {
		return strings.ReplaceAll(cipher, "_", "-")
	}
	return strings.ReplaceAll(exchange+"-"+cipher, "_", "-")
}

package config_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/weft-mesh/weft/proxy/config"
)

// FuzzParse looks for panics, positions outside of the document, and configurations
// that JSON does not reproduce.
func FuzzParse(f *testing.F) {
	for _, data := range corpus(f) {
		f.Add(string(data))
	}
	f.Add("{\"routers\":\t[{\"protocol\": \"http\", \"servers\": [{}], \"dtab\": \"/\\u0061 => \\\\x\"}]}")
	f.Add("routers:\n- protocol: http\n  dtab: |\n    /a => /b ;\n   /c\n")
	f.Add("a: &x [*x]\n? {b: c}\n: d\n<<: {e: f}\n")
	f.Add("{\"a\":" + strings.Repeat("[", 300))
	opts := lenient(f)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := config.Load("f", []byte(text), opts)
		var ps config.Problems
		if err != nil && !errors.As(err, &ps) {
			t.Fatalf("not Problems: %v", err)
		}
		lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text), "\n")
		for _, p := range ps {
			if p.Line < 1 || p.Line > len(lines)+1 || p.Column < 1 {
				t.Fatalf("position of %v in %d lines", p, len(lines))
			}
		}
		if err != nil {
			return
		}
		shown, err := l.JSON()
		if err != nil || !json.Valid(shown) {
			t.Fatalf("JSON: %v: %s", err, shown)
		}
		again, err := config.Load("f", shown, opts)
		if err != nil {
			t.Fatalf("%s\n%v", shown, err)
		}
		if more, err := again.JSON(); err != nil || string(more) != string(shown) {
			t.Fatalf("%v\n%s\n%s", err, shown, more)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	data := corpus(b)["testdata/corpus/linkerd/retries.yaml"]
	opts := lenient(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Load("f", data, opts); err != nil {
			b.Fatal(err)
		}
	}
}

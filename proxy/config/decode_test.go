package config_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
)

type shapes struct {
	Text   string            `yaml:"text" weft:"nonempty"`
	Token  string            `yaml:"token" weft:"secret"`
	Count  *int              `yaml:"count" weft:"min=1,max=60"`
	Small  int8              `yaml:"small"`
	Ratio  float64           `yaml:"ratio"`
	Every  time.Duration     `yaml:"everySecs" weft:"unit=s"`
	On     bool              `yaml:"on"`
	Path   dtab.Path         `yaml:"path"`
	Dtab   dtab.Dtab         `yaml:"dtab"`
	Addr   netip.Addr        `yaml:"addr"`
	When   time.Time         `yaml:"when"` // a TextUnmarshaler
	Ports  map[string]int    `yaml:"ports" weft:"port"`
	Names  []string          `yaml:"names" weft:"nonempty"`
	Inner  []*inner          `yaml:"inner" weft:"single"`
	Labels map[string]string `yaml:"labels"`
	Own    odd               `yaml:"own"`
	Dir    string            `yaml:"dir" weft:"dir"`
	File   string            `yaml:"file" weft:"file"`
	Cert   string            `yaml:"cert" weft:"readable"`

	Unread string
}

type inner struct {
	A int `yaml:"a"`
	B int `yaml:"b"`
}

func (i *inner) Validate() error {
	if i.A+i.B > 2 {
		return errors.Join(errors.New("too much"), errors.New("much too much"))
	}
	return nil
}

type odd int

func (o *odd) UnmarshalConfig(value any) error {
	i, ok := value.(int64)
	if !ok || i%2 == 0 {
		return errors.New("want an odd number")
	}
	*o = odd(i)
	return nil
}

func decode(tb testing.TB, text string, opts config.Options) (shapes, *config.Document, error) {
	tb.Helper()
	doc, err := config.Parse("f", []byte(text))
	require.NoError(tb, err)
	var s shapes
	err = doc.Decode(&s, opts)
	return s, doc, err
}

func TestDecodeValues(t *testing.T) {
	s, doc, err := decode(t, `
text: 12
token: abc
count: 60
small: -128
ratio: 3
everySecs: 90
on: true
path: /a
dtab: |
  /a => /b ;   # why
  /c => /d ;
addr: "::1"
when: 2020-01-02T03:04:05Z
ports: {a: 1, b: 65535}
names: [a, 1, true]
inner: {a: 1}
labels: {x: y}
own: 3
`, config.Options{})
	require.NoError(t, err)
	assert.Equal(t, "12", s.Text)
	assert.Equal(t, 60, *s.Count)
	assert.Equal(t, int8(-128), s.Small)
	assert.InDelta(t, 3.0, s.Ratio, 0)
	assert.Equal(t, 90*time.Second, s.Every)
	assert.True(t, s.On)
	assert.Equal(t, dtab.MustPath("/a"), s.Path)
	assert.Equal(t, "/a=>/b;/c=>/d", s.Dtab.String())
	assert.Equal(t, netip.IPv6Loopback(), s.Addr)
	assert.Equal(t, 2020, s.When.Year())
	assert.Equal(t, map[string]int{"a": 1, "b": 65535}, s.Ports)
	assert.Equal(t, []string{"a", "1", "true"}, s.Names)
	assert.Equal(t, []*inner{{A: 1}}, s.Inner)
	assert.Equal(t, map[string]string{"x": "y"}, s.Labels)
	assert.Equal(t, odd(3), s.Own)

	text, err := doc.JSON()
	require.NoError(t, err)
	assert.Equal(t, `{"text":"12","token":"(secret)","count":60,"small":-128,"ratio":3,"everySecs":90,"on":true,`+
		`"path":"/a","dtab":"/a=>/b;/c=>/d","addr":"::1","when":"2020-01-02T03:04:05Z","ports":{"a":1,"b":65535},`+
		`"names":["a","1","true"],"inner":{"a":1},"labels":{"x":"y"},"own":3}`, string(text))
}

func TestDecodeProblems(t *testing.T) {
	_, _, err := decode(t, `
text: ""
count: 61
small: 128
ratio: .nan
everySecs: 9223372036854775807
on: 1
path: a
when: today
ports: {a: 1, b: 65536, a: 2}
names: []
inner: [{a: 1}, {a: 2, b: 1}, 3]
labels: [x]
own: 4
Unread: x
? [a, b]
: c
`, config.Options{})
	require.Error(t, err)
	assert.Equal(t, `f:2:7: text: must not be empty
f:3:8: count: 61 is out of range: want 1 to 60
f:4:8: small: 128 is too large
f:5:8: ratio: want a number, found .nan
f:6:12: everySecs: 9223372036854775807 is too large
f:7:5: on: want true or false, found 1
f:8:7: path: '/' expected but 'a' found at '[a]'
f:9:7: when: parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"
f:10:18: ports.b: 65536 outside valid range for ports
f:10:25: ports.a: duplicate key "a", first set in line 10
f:11:8: names: the list must not be empty
f:12:17: inner[1]: too much
f:12:17: inner[1]: much too much
f:12:31: inner[2]: want an object, found 3
f:13:9: labels: want an object, found a list
f:14:6: own: want an odd number
f:15:1: Unread: Unrecognized field "Unread"; known keys are addr, cert, count, dir, dtab, everySecs, file, inner, labels, names, on, own, path, ports, ratio, small, text, token, when
f:16:3: a key must be plain text, found a list`, err.Error())
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o600))

	_, err := config.Parse("f", []byte("{dir: d, file: f, cert: f}"))
	require.Error(t, err, "a flow mapping begins with { and is read as JSON")

	_, _, err = decode(t, "dir: d\nfile: f\ncert: "+filepath.Join(dir, "f"), config.Options{Dir: dir})
	require.NoError(t, err)

	_, _, err = decode(t, "dir: f\nfile: d\ncert: nope", config.Options{Dir: dir})
	var ps config.Problems
	require.ErrorAs(t, err, &ps)
	errs, warnings := ps.Split()
	assert.Equal(t, "f:1:6: dir: f is not a directory\nf:2:7: file: d is not a file", errs.Error())
	require.Len(t, warnings, 1)
	assert.Contains(t, warnings[0].String(), "f:3:7: cert: warning: cannot be read: ")

	_, _, err = decode(t, "dir: f\nfile: d\ncert: nope", config.Options{Dir: dir, IgnoreFiles: true})
	require.NoError(t, err)
}

func TestDecodeNeedsAStruct(t *testing.T) {
	doc, err := config.Parse("", []byte("a: b"))
	require.NoError(t, err)
	for _, into := range []any{nil, shapes{}, new(int), (*shapes)(nil)} {
		assert.ErrorContains(t, doc.Decode(into, config.Options{}), "config: decode wants a pointer to a struct")
	}
}

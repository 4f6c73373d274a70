package soak_test
import ("os";"strings")
// temporary: WEFT_SOAK_ONLY=h1,h1tls
func wanted(label string) bool { o:=os.Getenv("WEFT_SOAK_ONLY"); if o=="" {return true}; for _,x:=range strings.Split(o,",") { if x==label {return true} }; return false }
func only(text string) string {
	head, rest, _ := strings.Cut(text, "routers:\n")
	var b strings.Builder
	b.WriteString(head+"routers:\n")
	for i, r := range strings.Split(rest, "- protocol:") {
		if i==0 {continue}
		label := strings.Fields(strings.SplitN(r,"label:",2)[1])[0]
		if wanted(label) { b.WriteString("- protocol:"+r) }
	}
	return b.String()
}

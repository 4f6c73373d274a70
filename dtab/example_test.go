package dtab_test

import (
	"errors"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
)

func Example() {
	d, err := dtab.Parse(`
		/host => /#/io.l5d.fs ;
		/svc  => /host ;
		/svc/users => 0.9 * /host/users-v1 & 0.1 * /host/users-v2 ; # a canary
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(dtab.ShowTree(d.Lookup(dtab.MustPath("/svc/users/eu"))))
	fmt.Println(dtab.ShowTree(d.Lookup(dtab.MustPath("/svc/carts"))))
	// Output:
	// 0.90*/host/users-v1/eu & 0.10*/host/users-v2/eu | /host/users/eu
	// /host/carts
}

func ExampleIndex() {
	x := dtab.NewIndex(dtab.MustParse("/svc=>/host;/host=>/#/io.l5d.fs"))
	local := dtab.MustParse("/svc/users=>/host/users-debug") // from a request's header
	p := dtab.MustPath("/svc/users")
	fmt.Println(dtab.ShowTree(x.LookupWith(local, p)))
	for _, m := range x.MatchesWith(local, p) {
		fmt.Println(m.Pos, m.Dentry, "rest", m.Rest)
	}
	// Output:
	// /host/users-debug | /host/users
	// 2 /svc/users=>/host/users-debug rest /
	// 0 /svc=>/host rest /users
}

func ExampleSimplify() {
	t := dtab.MustTree("~ | 2*/a & 3*~ | ! | /never")
	fmt.Println(dtab.ShowTree(dtab.Simplify(t)))
	leaves, ok := dtab.Eval(t)
	fmt.Println(leaves, ok)
	// Output:
	// /a | !
	// [/a] true
}

func ExampleSyntaxError() {
	_, err := dtab.Parse("/svc => /host;\n/host = /#/io.l5d.fs")
	if syntax, ok := errors.AsType[*dtab.SyntaxError](err); ok {
		fmt.Println(syntax.Detail())
	}
	_, err = dtab.Parse("/svc=>/foo^bar")
	fmt.Println(err)
	// Output:
	// line 2, column 8: '>' expected but ' ' found
	// end of input expected but '^' found at '/svc=>/foo[^]bar'
}

func ExamplePathOf() {
	p, err := dtab.PathOf("svc", "a/b")
	fmt.Println(p, p.Len(), p.Elem(1), err)
	// Output: /svc/\x61\x2f\x62 2 a/b <nil>
}

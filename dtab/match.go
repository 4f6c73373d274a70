package dtab

// Match is a rule that matches a path.
type Match struct {
	Pos    int // the rule's position in the dtab, counted from 0
	Dentry Dentry
	Rest   Path // what the prefix leaves over
}

// Tree returns the rule's destination with Rest appended to every leaf.
func (m Match) Tree() Tree[Path] { return graft(m.Dentry.Dst, m.Rest) }

// inlineHits is how many matches a look-up keeps on its stack.
const inlineHits = 8

// hit is a Match before it is known whether anybody wants to see it.
type hit struct {
	rule *Dentry
	pos  int
	at   int // where the rest starts in the text of the path
}

// combine returns the answer to a look-up with these matches.
func combine(hs []hit, p Path) Tree[Path] {
	switch len(hs) {
	case 0:
		return Tree[Path]{}
	case 1:
		return graft(hs[0].rule.Dst, Path{p.s[hs[0].at:]})
	}
	alt := Tree[Path]{Op: Alt, Kids: make([]Tree[Path], len(hs))}
	for i, h := range hs {
		alt.Kids[i] = graft(h.rule.Dst, Path{p.s[h.at:]})
	}
	return alt
}

// export returns matches for the public.
func export(hs []hit, p Path) []Match {
	ms := make([]Match, len(hs))
	for i, h := range hs {
		ms[i] = Match{Pos: h.pos, Dentry: *h.rule, Rest: Path{p.s[h.at:]}}
	}
	return ms
}

// graft appends rest to every leaf of t, which it shares if it can.
func graft(t Tree[Path], rest Path) Tree[Path] {
	if rest.IsEmpty() {
		return t
	}
	switch t.Op {
	case Leaf:
		t.Value = t.Value.Concat(rest)
	case Alt, Union:
		kids := make([]Tree[Path], len(t.Kids))
		for i, k := range t.Kids {
			kids[i] = graft(k, rest)
		}
		t.Kids = kids
	case Neg, Fail, Empty:
	}
	return t
}

package editor

import (
	"slices"

	"github.com/weft-mesh/weft/dtab"
)

// rebase makes the change from base to mine in theirs, as version control merges
// branches (diff3): between rules that all three have, it takes what only one of them
// has changed. Where both have, it takes theirs and then what mine has added, which so
// wins, and the place is a conflict: an index into the result.
func rebase(base, mine, theirs dtab.Dtab) (merged dtab.Dtab, conflicts []int) {
	toMine, toTheirs := kept(base, mine), kept(base, theirs)
	b, m, t := 0, 0, 0
	for {
		// The next rule that all three have ends a stretch in which they differ.
		next := b
		for next < len(base) && (toMine[next] < 0 || toTheirs[next] < 0) {
			next++
		}
		endMine, endTheirs := len(mine), len(theirs)
		if next < len(base) {
			endMine, endTheirs = toMine[next], toTheirs[next]
		}
		was, my, their := base[b:next], mine[m:endMine], theirs[t:endTheirs]
		switch {
		case sameRules(my, their), sameRules(was, my):
			merged = append(merged, their...)
		case sameRules(was, their):
			merged = append(merged, my...)
		default:
			conflicts = append(conflicts, len(merged))
			merged = append(merged, their...)
			for i, at := range kept(my, was) {
				if at < 0 {
					merged = append(merged, my[i])
				}
			}
		}
		if next == len(base) {
			return merged, conflicts
		}
		merged = append(merged, base[next])
		b, m, t = next+1, endMine+1, endTheirs+1
	}
}

// kept returns where each rule of a is in b, -1 for those that are not.
func kept(a, b dtab.Dtab) []int {
	at := make([]int, len(a))
	for i := range at {
		at[i] = -1
	}
	for _, s := range steps(a, b) {
		if s.a >= 0 {
			at[s.a] = s.b
		}
	}
	return at
}

func sameRules(a, b dtab.Dtab) bool { return slices.Equal(exact(a), exact(b)) }

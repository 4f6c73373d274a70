package dtabcmd

import (
	"fmt"
	"slices"
	"strings"
)

// edit is a line of a diff: ' ' for one that both sides have, '-' for one that only
// the old side has, '+' for one of the new side.
type edit struct {
	op   byte
	line string
}

// compare returns how old becomes new, with as many common lines as there can be.
func compare(before, after []string) []edit {
	var head, tail []edit
	for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		head = append(head, edit{' ', before[0]})
		before, after = before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
		tail = append(tail, edit{' ', before[len(before)-1]})
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	slices.Reverse(tail)
	return slices.Concat(head, middle(before, after), tail)
}

// maxTable bounds the table of middle. Two sides that differ so much are shown one
// after the other.
const maxTable = 16 << 20

// middle compares by the table of longest common subsequences.
func middle(before, after []string) []edit {
	n, m := len(before), len(after)
	common := make([][]int32, n+1)
	if (n+1)*(m+1) > maxTable {
		common = nil
	}
	for i := len(common) - 1; i >= 0; i-- {
		common[i] = make([]int32, m+1)
		for j := m - 1; i < n && j >= 0; j-- {
			if before[i] == after[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var edits []edit
	i, j := 0, 0
	for i < n || j < m {
		switch {
		case i < n && j < m && common != nil && before[i] == after[j]:
			edits = append(edits, edit{' ', before[i]})
			i, j = i+1, j+1
		case i < n && (j == m || common == nil || common[i+1][j] >= common[i][j+1]):
			edits = append(edits, edit{'-', before[i]})
			i++
		default:
			edits = append(edits, edit{'+', after[j]})
			j++
		}
	}
	return edits
}

// counts returns how many lines came and went.
func counts(edits []edit) (added, removed int) {
	for _, e := range edits {
		switch e.op {
		case '+':
			added++
		case '-':
			removed++
		}
	}
	return added, removed
}

// around is how many lines of context a diff has.
const around = 3

// unified returns edits as a unified diff, "" if nothing has changed.
func unified(from, to string, edits []edit) string {
	var b strings.Builder
	before, after := 0, 0 // lines of the sides up to edits[i]
	for i := 0; i < len(edits); {
		first := nextChange(edits, i)
		if first == len(edits) {
			break
		}
		if b.Len() == 0 {
			fmt.Fprintf(&b, "--- %s\n+++ %s\n", from, to)
		}
		start := max(i, first-around)
		before, after = before+start-i, after+start-i // the lines passed over are common ones
		end := hunkEnd(edits, first)
		added, removed := counts(edits[start:end])
		same := end - start - added - removed
		fmt.Fprintf(&b, "@@ -%s +%s @@\n", span(before, same+removed), span(after, same+added))
		for _, e := range edits[start:end] {
			b.WriteString(string(e.op) + e.line + "\n")
		}
		before, after = before+same+removed, after+same+added
		i = end
	}
	return b.String()
}

// nextChange returns the first change from i on.
func nextChange(edits []edit, i int) int {
	for i < len(edits) && edits[i].op == ' ' {
		i++
	}
	return i
}

// hunkEnd returns the end of the hunk with the change at i.
func hunkEnd(edits []edit, i int) int {
	for {
		for i < len(edits) && edits[i].op != ' ' {
			i++
		}
		next := nextChange(edits, i)
		if next == len(edits) || next-i > 2*around {
			return min(i+around, len(edits))
		}
		i = next
	}
}

// span returns which lines a hunk covers, in diff's way.
func span(before, lines int) string {
	switch lines {
	case 0:
		return fmt.Sprintf("%d,0", before)
	case 1:
		return fmt.Sprintf("%d", before+1) //nolint:perfsprint // as its neighbours
	default:
		return fmt.Sprintf("%d,%d", before+1, lines)
	}
}

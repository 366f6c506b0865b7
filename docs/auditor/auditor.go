// Auditor verifies a ledger as spec/ledger.md has it, and receipts from it, by what the Go project wrote for its own
// checksum database: golang.org/x/mod/sumdb/tlog for trees, golang.org/x/mod/sumdb/note for signatures. It shares no
// line with the program that keeps the ledger. docs/operating/auditor.md says how Debian's packages build it.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const usage = `auditor log     -key KEY [-witnesses KEY,KEY [-min N]] [-older CHECKPOINT] FOLDER|URL
auditor receipt -key KEY [-witnesses KEY,KEY [-min N]] RECEIPT RECORD
auditor batch   (such lines from standard input, with tabs between the words)`

func main() {
	if len(os.Args) == 2 && os.Args[1] == "batch" {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			said, err := audit(strings.Split(lines.Text(), "\t"))
			fmt.Println(map[bool]string{true: "ok", false: "WRONG"}[err == nil], said, err)
		}
	} else if said, err := audit(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	} else {
		fmt.Println(said)
	}
}

// audit does one command. Whatever is wrong, in whatever depth, panics and comes out here.
func audit(words []string) (said string, err error) {
	defer func() {
		if wrong := recover(); wrong != nil {
			err = fmt.Errorf("%v", wrong)
		}
	}()
	flags := flag.NewFlagSet("auditor", flag.ContinueOnError)
	key := flags.String("key", "", "key of the log: NAME+ID+KEY")
	witnesses := flags.String("witnesses", "", "keys of witnesses, with commas")
	min := flags.Int("min", -1, "how many of them must have signed; without it all")
	older := flags.String("older", "", "a checkpoint that was seen before, which the log must begin with")
	check(len(words) > 0 && flags.Parse(words[1:]) == nil && *key != "", usage)
	trust := trust{log: must(note.NewVerifier(*key)), min: *min}
	for _, each := range strings.FieldsFunc(*witnesses, func(r rune) bool { return r == ',' }) {
		trust.witnesses = append(trust.witnesses, newWitness(each))
	}
	if *min < 0 {
		trust.min = len(trust.witnesses)
	}
	if words[0] == "log" && flags.NArg() == 1 {
		return verifyLog(strings.TrimRight(flags.Arg(0), "/"), *older, trust), nil
	}
	check(words[0] == "receipt" && flags.NArg() == 2, usage)
	return verifyReceipt(must(os.ReadFile(flags.Arg(0))), must(os.ReadFile(flags.Arg(1))), trust), nil
}

// verifyLog makes the tree anew from the entries, and holds the signed root and every tile against it.
func verifyLog(place, older string, trust trust) string {
	tree := trust.open(must(read(place, "checkpoint")), trust.min)
	made := hashes{}
	for leaves := int64(0); leaves < tree.N; leaves += 256 {
		made.grow(place, leaves, tree.N)
	}
	check(made.root(tree.N) == tree.Hash, "the %d entries make another root than the one that was signed", tree.N)
	for level := 0; tree.N>>(8*level) > 0; level++ {
		for n := int64(0); n*256 < tree.N>>(8*level); n++ {
			tile := tileOf(level, n, tree.N>>(8*level))
			got, width := readTile(place, tile)
			isSame := len(got) == width*tlog.HashSize && bytes.HasPrefix(got, must(tlog.ReadTileData(tile, &made)))
			check(isSame, "%s is not what the entries make", path(tile))
		}
	}
	said := fmt.Sprintf("%d entries, every tile, root %v", tree.N, tree.Hash)
	if older == "" {
		return said
	}
	seen := trust.open(must(os.ReadFile(older)), 0)
	check(seen.N <= tree.N, "the log went back: %d entries were seen, and it shows %d", seen.N, tree.N)
	check(made.root(seen.N) == seen.Hash, "the log was changed or forked: it does not begin with the %d that were seen", seen.N)
	return fmt.Sprintf("%s; it begins with the %d that were seen", said, seen.N)
}

// hashes are those of all complete subtrees, in the order in which tlog stores them.
type hashes []tlog.Hash

func (h *hashes) ReadHashes(indexes []int64) (found []tlog.Hash, err error) {
	for _, index := range indexes {
		found = append(found, (*h)[index])
	}
	return found, nil
}

func (h *hashes) root(size int64) tlog.Hash {
	if size == 0 {
		return sha256.Sum256(nil)
	}
	return must(tlog.TreeHash(size, h))
}

// grow takes the next bundle: up to 256 entries, each after its length in two bytes.
func (h *hashes) grow(place string, leaves, size int64) {
	tile := tileOf(-1, leaves/256, size)
	bundle, width := readTile(place, tile)
	for i := 0; i < width; i++ {
		check(len(bundle) >= 2 && len(bundle) >= 2+int(binary.BigEndian.Uint16(bundle)), "%s is cut off", path(tile))
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if i < tile.W { // what a full bundle has more is proved by a later checkpoint
			*h = append(*h, must(tlog.StoredHashes(leaves+int64(i), bundle[2:end], h))...)
		}
		bundle = bundle[end:]
	}
	check(len(bundle) == 0, "%s has more than %d entries", path(tile), width)
}

// tileOf is the n-th tile of a level with so many hashes, or of so many entries: tlog's level -1.
func tileOf(level int, n, count int64) tlog.Tile {
	tile := tlog.Tile{H: 8, L: level, N: n, W: 256}
	if count-n*256 < 256 {
		tile.W = int(count - n*256)
	}
	return tile
}

// path is a tile's address of c2sp.org/tlog-tiles, where the height is always 8 and bundles are called entries.
func path(tile tlog.Tile) string {
	return strings.Replace(strings.Replace(tile.Path(), "tile/8/", "tile/", 1), "/data/", "/entries/", 1)
}

// readTile gives a tile and its width; the full one where the partial one is gone.
func readTile(place string, tile tlog.Tile) ([]byte, int) {
	content, err := read(place, path(tile))
	if errors.Is(err, os.ErrNotExist) && tile.W < 256 {
		tile.W = 256
		content, err = read(place, path(tile))
	}
	return must(content, err), tile.W
}

func read(place, name string) ([]byte, error) {
	if !strings.HasPrefix(place, "http://") && !strings.HasPrefix(place, "https://") {
		return os.ReadFile(filepath.Join(place, name))
	}
	answer, err := http.Get(place + "/" + name)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == 404 {
		return nil, fmt.Errorf("%s/%s: %w", place, name, os.ErrNotExist)
	}
	check(answer.StatusCode == 200, "%s/%s: %s", place, name, answer.Status)
	return io.ReadAll(io.LimitReader(answer.Body, 256*(2+65535)+1))
}

// verifyReceipt takes a tlog-proof, and a record as the phone signed it.
func verifyReceipt(receipt, record []byte, trust trust) string {
	head, checkpoint, _ := strings.Cut(string(receipt), "\n\n")
	lines := append(strings.Split(head, "\n"), "", "")
	check(lines[0] == "c2sp.org/tlog-proof@v1", "this is no receipt")
	if strings.HasPrefix(lines[1], "extra ") { // nothing vouches for what it says
		check(len(unbase64(lines[1][6:])) > 0, "what is extra is no base64")
		lines = lines[1:]
	}
	check(strings.HasPrefix(lines[1], "index "), "the receipt has no index")
	index := number(lines[1][6:])
	proof := tlog.RecordProof{}
	for _, line := range lines[2 : len(lines)-2] {
		proof = append(proof, hash(line))
	}
	// What the ledger holds of a record is in CBOR a list of 1 and its bytes (spec/recap.md, Entries).
	entry := []byte{0x82, 1, 0x59, byte(len(record) >> 8), byte(len(record))}
	if len(record) < 256 {
		entry = []byte{0x82, 1, 0x58, byte(len(record))}
	}
	tree := trust.open([]byte(checkpoint), trust.min)
	err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(append(entry, record...)))
	check(err == nil, "the record is not entry %d: %v", index, err)
	return fmt.Sprintf("the record is entry %d of %d", index, tree.N)
}

// trust is whom to believe: the log, and so many of the witnesses.
type trust struct {
	log       note.Verifier
	witnesses []note.Verifier
	min       int
}

// open reads a checkpoint that the log and at least so many of the witnesses signed.
func (t trust) open(text []byte, min int) tlog.Tree {
	opened := must(note.Open(text, note.VerifierList(append([]note.Verifier{t.log}, t.witnesses...)...)))
	isSigned, seen := false, 0
	for _, signature := range opened.Sigs { // of one key there is one
		unbase64(signature.Base64)
		if signature.Name == t.log.Name() && signature.Hash == t.log.KeyHash() {
			isSigned = true
		} else {
			seen++
		}
	}
	check(isSigned && seen >= min, "the log did not sign it, or %d witnesses did and not %d", seen, min)
	lines := strings.Split(opened.Text, "\n")
	check(len(lines) > 3 && lines[0] == t.log.Name(), "this is no checkpoint of %s", t.log.Name())
	for _, extension := range lines[3 : len(lines)-1] {
		check(extension != "", "an extension of the checkpoint is empty")
	}
	return tlog.Tree{N: number(lines[1]), Hash: hash(lines[2])}
}

// witness verifies cosignatures of Ed25519 (c2sp.org/tlog-cosignature): 8 bytes of time, and a signature.
type witness struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func newWitness(text string) note.Verifier {
	parts := strings.SplitN(text, "+", 3)
	check(len(parts) == 3, "%s is no key", text)
	key := unbase64(parts[2])
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	check(len(key) == 33 && key[0] == 4 && fmt.Sprintf("%x", id[:4]) == parts[1], "%s is no key of a witness", text)
	return witness{parts[0], binary.BigEndian.Uint32(id[:]), key[1:]}
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.id }
func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(w.key, []byte(signed), signature[8:])
}

// unbase64 takes only what would be written so; Go's own reader is kinder.
func unbase64(text string) []byte {
	content, err := base64.StdEncoding.DecodeString(text)
	check(err == nil && base64.StdEncoding.EncodeToString(content) == text, "%q is not written as base64 is", text)
	return content
}

func hash(text string) (made tlog.Hash) {
	check(copy(made[:], unbase64(text)) == tlog.HashSize && len(text) == 44, "%q is no hash", text)
	return made
}

// number takes a count as a decimal without leading zeroes.
func number(text string) int64 {
	count, err := strconv.ParseInt(text, 10, 64)
	check(err == nil && count >= 0 && strconv.FormatInt(count, 10) == text, "%q is no count", text)
	return count
}

func check(isSo bool, otherwise string, about ...interface{}) {
	if !isSo {
		panic(fmt.Sprintf(otherwise, about...))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

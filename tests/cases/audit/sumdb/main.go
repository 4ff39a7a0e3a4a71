// Logs by another implementation of RFC 6962 and of signed notes, golang.org/x/mod/sumdb.
//
//	go run . > log.jsonl            a log in the form of our exports, with its key first
//	go run . VKEY < export.jsonl    whether an export of ours is what its signed state says
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type mem []tlog.Hash

func (m *mem) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, x := range at {
		out[i] = (*m)[x]
	}
	return out, nil
}

func add(m *mem, n int64, body []byte) tlog.Hash {
	hs, err := tlog.StoredHashesForRecordHash(n, tlog.RecordHash(body), m)
	if err != nil {
		panic(err)
	}
	*m = append(*m, hs...)
	return tlog.RecordHash(body)
}

func make_() {
	origin := "sumdb.example/log"
	skey, vkey, _ := note.GenerateKey(rand.Reader, origin)
	signer, _ := note.NewSigner(skey)
	pub, _ := base64.StdEncoding.DecodeString(strings.SplitN(vkey, "+", 3)[2])
	m, n := &mem{}, int64(0)
	fmt.Printf("{\"key\":%q}\n", vkey)
	for _, count := range []int{1, 2, 5, 13, 64} {
		for i := 0; i < count; i++ {
			body := []byte(fmt.Sprintf(`{"id":"%d","type":"record.made","actor":{"id":"go"},"message":"Grüße %s"}`, n, strings.Repeat("x", int(n))))
			h := add(m, n, body)
			fmt.Printf(`{"event":{"seq":%d,"leaf":"%s","event":%s}}`+"\n", n, hex.EncodeToString(h[:]), body)
			n++
		}
		root, _ := tlog.TreeHash(n, m)
		when := fmt.Sprintf("2026-01-01T10:00:%02d.000000Z", count%60)
		text := string(tlog.FormatTree(tlog.Tree{N: n, Hash: root}))
		lines := strings.SplitN(text, "\n", 4) // "go.sum database tree", size, root
		signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%s\n%s\n%s\n", origin, lines[1], lines[2], when)}, signer)
		if err != nil {
			panic(err)
		}
		opened, err := note.Open(signed, note.VerifierList(must(note.NewVerifier(vkey))))
		if err != nil {
			panic(err)
		}
		raw, _ := base64.StdEncoding.DecodeString(opened.Sigs[0].Base64)
		b, _ := json.Marshal(map[string]any{"origin": origin, "size": n, "root": hex.EncodeToString(root[:]), "time": when,
			"signature": base64.StdEncoding.EncodeToString(raw[4:]), "key": base64.StdEncoding.EncodeToString(pub[1:])})
		fmt.Printf("{\"checkpoint\":%s}\n", b)
	}
}

func must(v note.Verifier, err error) note.Verifier {
	if err != nil {
		panic(err)
	}
	return v
}

func check(vkey string) {
	m, n := &mem{}, int64(0)
	sc := bufio.NewScanner(os.Stdin)
	sc.Buffer(make([]byte, 1<<26), 1<<26)
	for sc.Scan() {
		line := sc.Bytes()
		if bytes.HasPrefix(line, []byte(`{"event":{"seq":`)) {
			_, body, _ := bytes.Cut(line, []byte(`,"event":`))
			add(m, n, body[:len(body)-2])
			n++
		} else if bytes.HasPrefix(line, []byte(`{"manifest":`)) {
			var got struct{ Manifest struct{ Checkpoint string } }
			if err := json.Unmarshal(line, &got); err != nil {
				panic(err)
			}
			opened, err := note.Open([]byte(got.Manifest.Checkpoint), note.VerifierList(must(note.NewVerifier(vkey))))
			if err != nil {
				panic(err)
			}
			root, _ := tlog.TreeHash(n, m)
			f := strings.Split(opened.Text, "\n")
			fmt.Println("signed by", opened.Sigs[0].Name, "size", f[1], n, "root same:", f[2] == root.String())
		}
	}
}

func main() {
	if len(os.Args) > 1 {
		check(os.Args[1])
	} else {
		make_()
	}
}

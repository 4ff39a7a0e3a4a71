// An OCI registry for tests, and what authors use beside one: a client that pushes, and cosign's signatures by key.
//
// serve: HTTPS on a port of 127.0.0.1; its first line of output is its address, and it ends with its standard input.
// push:  a file as the one layer of an image, or several as conftest does; prints the image's digest.
// sign:  what `cosign sign --key` keeps beside a digest, made by sigstore's own packages.
package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/payload"
)

const (
	title         = "org.opencontainers.image.title"
	simpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
	signed        = "dev.cosignproject.cosign/signature"
	certificate   = "dev.sigstore.cosign/certificate"

	sigstoreBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
	inToto         = "application/vnd.in-toto+json"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("oci-registry: ")
	if len(os.Args) < 2 {
		log.Fatal("say serve, push or sign; each has -help")
	}
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(os.Args[2:])
	case "push":
		err = push(os.Args[2:])
	case "sign":
		err = sign(os.Args[2:])
	default:
		err = fmt.Errorf("%q is none of serve, push and sign", os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
}

func serve(words []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	port := flags.Int("port", 0, "of 127.0.0.1; 0 is any free one")
	tlsCert := flags.String("tls-cert", "", "the server's certificate (PEM)")
	tlsKey := flags.String("tls-key", "", "its private key (PEM)")
	password := flags.String("password", "", "of the user `robot`, who alone reads and writes private/...")
	flags.Parse(words)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		return err
	}
	address := "https://" + listener.Addr().String()
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	held := guarded{registry.New(quiet, registry.WithReferrersSupport(true)), address, *password, rand.Text()}
	server := &http.Server{Handler: held, ReadHeaderTimeout: time.Minute}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Close()
	}()
	fmt.Println(address)
	if err := server.ServeTLS(listener, *tlsCert, *tlsKey); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// The token flow of the distribution specification: everybody gets a token, and the robot's alone opens what is below private/.
type guarded struct {
	registry http.Handler
	address  string
	password string
	token    string
}

func (g guarded) ServeHTTP(to http.ResponseWriter, got *http.Request) {
	private := strings.HasPrefix(got.URL.Path, "/v2/private/")
	switch {
	case got.URL.Path == "/token":
		g.give(to, got)
	case private && got.Header.Get("Authorization") != "Bearer "+g.token, got.URL.Path == "/v2/" && got.Header.Get("Authorization") == "":
		to.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="tests"`, g.address))
		http.Error(to, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
	default:
		g.registry.ServeHTTP(to, got)
	}
}

func (g guarded) give(to http.ResponseWriter, got *http.Request) {
	user, word, told := got.BasicAuth()
	known := user == "robot" && word == g.password
	switch {
	case told && !known, !told && strings.HasPrefix(got.URL.Query().Get("scope"), "repository:private/"):
		http.Error(to, "who is that?", http.StatusUnauthorized)
	case known:
		json.NewEncoder(to).Encode(map[string]string{"token": g.token})
	default:
		json.NewEncoder(to).Encode(map[string]string{"token": "anybody"})
	}
}

// What push and sign share.
type client struct {
	flags    *flag.FlagSet
	ca       *string
	password *string
}

func newClient(verb string) client {
	flags := flag.NewFlagSet(verb, flag.ExitOnError)
	ca := flags.String("ca", "", "certificates that vouch for the registry (PEM)")
	return client{flags, ca, flags.String("password", "", "of the user `robot`")}
}

func (c client) options() ([]remote.Option, error) {
	pem, err := os.ReadFile(*c.ca)
	if err != nil {
		return nil, err
	}
	vouching := x509.NewCertPool()
	if !vouching.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", *c.ca)
	}
	transport := remote.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: vouching}
	options := []remote.Option{remote.WithTransport(transport)}
	if *c.password != "" {
		options = append(options, remote.WithAuth(&authn.Basic{Username: "robot", Password: *c.password}))
	}
	return options, nil
}

func push(words []string) error {
	with := newClient("push")
	to := with.flags.String("to", "", "HOST/REPOSITORY:TAG")
	media := with.flags.String("media-type", string(types.OCILayer), "of the layers")
	with.flags.Parse(words)
	options, err := with.options()
	if err != nil {
		return err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, file := range with.flags.Args() {
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		layer := static.NewLayer(body, types.MediaType(*media))
		if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, Annotations: map[string]string{title: file}}); err != nil {
			return err
		}
	}
	return written(*to, image, options)
}

func written(to string, image v1.Image, options []remote.Option) error {
	place, err := name.ParseReference(to)
	if err != nil {
		return err
	}
	if err := remote.Write(place, image, options...); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err == nil {
		fmt.Println(digest)
	}
	return err
}

func sign(words []string) error {
	with := newClient("sign")
	image := with.flags.String("image", "", "HOST/REPOSITORY@sha256:...")
	key := with.flags.String("key", "", "the private key (PEM)")
	keyless := with.flags.String("certificate", "", "what a signature without a key of one's own carries (PEM)")
	predicate := with.flags.String("predicate", "", "of a Sigstore bundle that refers to the image, as cosign 3 keeps it; else as cosign 2")
	with.flags.Parse(words)
	digest, err := name.NewDigest(*image)
	if err != nil {
		return err
	}
	options, err := with.options()
	if err != nil {
		return err
	}
	if *predicate != "" {
		return refer(digest, *predicate, *key, options)
	}
	said, err := payload.Cosign{Image: digest}.MarshalJSON()
	if err != nil {
		return err
	}
	made, err := signature64(*key, said)
	if err != nil {
		return err
	}
	notes := map[string]string{signed: made}
	if *keyless != "" {
		pem, err := os.ReadFile(*keyless)
		if err != nil {
			return err
		}
		notes[certificate] = string(pem)
	}
	tag := digest.Context().Tag(strings.ReplaceAll(digest.DigestStr(), ":", "-") + ".sig")
	held, err := remote.Image(tag, options...)
	if err != nil { // none yet
		held = mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	}
	layer := static.NewLayer(said, simpleSigning)
	if held, err = mutate.Append(held, mutate.Addendum{Layer: layer, Annotations: notes}); err != nil {
		return err
	}
	return written(tag.String(), held, options)
}

// As cosign 3: a statement about the digest in an envelope, and an image that holds both and names the other as its subject.
func refer(digest name.Digest, predicate string, key string, options []remote.Option) error {
	subject, err := remote.Head(digest, options...)
	if err != nil {
		return err
	}
	statement, err := json.Marshal(map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []any{map[string]any{"digest": map[string]string{"sha256": subject.Digest.Hex}, "annotations": map[string]any{}}},
		"predicateType": predicate,
		"predicate":     map[string]any{},
	})
	if err != nil {
		return err
	}
	made, err := signature64(key, dsse.PAE(inToto, statement))
	if err != nil {
		return err
	}
	envelope := dsse.Envelope{
		PayloadType: inToto,
		Payload:     base64.StdEncoding.EncodeToString(statement),
		Signatures:  []dsse.Signature{{Sig: made}},
	}
	bundle, err := json.Marshal(map[string]any{
		"mediaType":            sigstoreBundle,
		"verificationMaterial": map[string]any{"publicKey": map[string]string{"hint": "a key"}},
		"dsseEnvelope":         envelope,
	})
	if err != nil {
		return err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.oci.empty.v1+json")
	if image, err = mutate.Append(image, mutate.Addendum{Layer: static.NewLayer(bundle, sigstoreBundle)}); err != nil {
		return err
	}
	image = mutate.Subject(image, *subject).(v1.Image)
	own, err := image.Digest()
	if err != nil {
		return err
	}
	return written(digest.Context().Digest(own.String()).String(), image, options)
}

func signature64(file string, said []byte) (string, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	private, err := cryptoutils.UnmarshalPEMToPrivateKey(pem, cryptoutils.SkipPassword)
	if err != nil {
		return "", err
	}
	signer, err := signature.LoadSigner(private, crypto.SHA256)
	if err != nil {
		return "", err
	}
	made, err := signer.SignMessage(bytes.NewReader(said))
	return base64.StdEncoding.EncodeToString(made), err
}

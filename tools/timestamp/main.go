// A time-stamping authority (RFC 3161) for tests, and what verifies its stamps without the plane.
//
// serve: HTTPS on a port of 127.0.0.1; its first line of output is its address, and it ends with its standard input.
// verify: exits 0 when an authority's answer stamps a text, under certificates that somebody vouches for.
package main

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

const (
	query   = "application/timestamp-query"
	reply   = "application/timestamp-reply"
	longest = 64 << 10 // of a request
)

var policy = asn1.ObjectIdentifier{1, 2, 3, 4, 1}

func main() {
	log.SetFlags(0)
	log.SetPrefix("timestamp-authority: ")
	if len(os.Args) < 2 {
		log.Fatal("say serve or verify; each has -help")
	}
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(os.Args[2:])
	case "verify":
		err = verify(os.Args[2:])
	default:
		err = fmt.Errorf("%q is neither serve nor verify", os.Args[1])
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
	cert := flags.String("cert", "", "the certificate that stamps (PEM)")
	key := flags.String("key", "", "its private key (PEM)")
	flags.Parse(words)
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		return err
	}
	signer, able := pair.PrivateKey.(crypto.Signer)
	if !able {
		return fmt.Errorf("%s: this key cannot sign", *key)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: authority{pair.Leaf, signer}, ReadHeaderTimeout: time.Minute}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Close()
	}()
	fmt.Printf("https://%s\n", listener.Addr())
	if err := server.ServeTLS(listener, *tlsCert, *tlsKey); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type authority struct {
	certificate *x509.Certificate
	signer      crypto.Signer
}

func (a authority) ServeHTTP(to http.ResponseWriter, got *http.Request) {
	if got.Method != http.MethodPost || got.Header.Get("Content-Type") != query {
		http.Error(to, "POST an "+query, http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(to, got.Body, longest))
	if err != nil {
		http.Error(to, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := a.answer(body)
	if err != nil {
		http.Error(to, err.Error(), http.StatusInternalServerError)
		return
	}
	to.Header().Set("Content-Type", reply)
	to.Write(answer)
}

func (a authority) answer(body []byte) ([]byte, error) {
	asked, err := timestamp.ParseRequest(body)
	if err != nil {
		return timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.BadDataFormat)
	}
	if why, refused := refusal(asked); refused {
		return timestamp.CreateErrorResponse(timestamp.Rejection, why)
	}
	stamp := timestamp.Timestamp{
		HashAlgorithm:     asked.HashAlgorithm,
		HashedMessage:     asked.HashedMessage,
		Time:              time.Now().UTC(),
		Nonce:             asked.Nonce,
		Policy:            policy,
		AddTSACertificate: asked.Certificates,
	}
	return stamp.CreateResponseWithOpts(a.certificate, a.signer, crypto.SHA256)
}

func refusal(asked *timestamp.Request) (timestamp.FailureInfo, bool) {
	switch {
	case asked.HashAlgorithm != crypto.SHA256:
		return timestamp.BadAlgorithm, true
	case len(asked.HashedMessage) != asked.HashAlgorithm.Size():
		return timestamp.BadDataFormat, true
	case asked.TSAPolicyOID != nil && !asked.TSAPolicyOID.Equal(policy):
		return timestamp.UnacceptedPolicy, true
	case len(asked.Extensions) > 0:
		return timestamp.UnacceptedExtension, true
	}
	return 0, false
}

func verify(words []string) error {
	flags := flag.NewFlagSet("verify", flag.ExitOnError)
	text := flags.String("text", "", "file: what was stamped")
	answer := flags.String("answer", "", "file: the authority's answer")
	vouching := flags.String("authority", "", "file: certificates that vouch for the authority (PEM)")
	flags.Parse(words)
	contents := make([][]byte, 3)
	for number, name := range []string{*text, *answer, *vouching} {
		read, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		contents[number] = read
	}
	stamp, err := timestamp.ParseResponse(contents[1])
	if err != nil {
		return err
	}
	if err := vouched(stamp, contents[2]); err != nil {
		return err
	}
	if !stamp.HashAlgorithm.Available() {
		return fmt.Errorf("%s: stamps by an unknown hash", *answer)
	}
	hash := stamp.HashAlgorithm.New()
	hash.Write(contents[0])
	if !bytes.Equal(hash.Sum(nil), stamp.HashedMessage) {
		return fmt.Errorf("%s stamps another text than %s", *answer, *text)
	}
	return nil
}

// The signature, and the signer's chain as it was when the stamp was made.
func vouched(stamp *timestamp.Timestamp, vouching []byte) error {
	token, err := pkcs7.Parse(stamp.RawToken)
	if err != nil {
		return err
	}
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		CurrentTime:   stamp.Time,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	}
	if !options.Roots.AppendCertsFromPEM(vouching) {
		return errors.New("no certificate vouches for the authority")
	}
	for _, certificate := range token.Certificates {
		options.Intermediates.AddCert(certificate)
	}
	return token.VerifyWithOpts(options)
}

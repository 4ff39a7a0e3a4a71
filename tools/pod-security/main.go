// Answers what the Pod Security admission controller decides about pods: JSON lines in, JSON lines out.
//
// In: one Pod per line. Out: per pod and level, from which version on which reasons forbid it; no reason means allowed.
// With -fixtures it takes the pods from the fixtures of the pinned module instead, each once.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

const (
	first = 25
	last  = 36
)

type answer struct {
	Pod       json.RawMessage              `json:"pod"`
	Forbidden map[string]map[string]string `json:"forbidden"`
}

func main() {
	fixtures := flag.String("fixtures", "", "folder test/testdata of k8s.io/pod-security-admission")
	flag.Parse()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		log.Fatal(err)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	for _, text := range pods(*fixtures) {
		var pod corev1.Pod
		if err := json.Unmarshal(text, &pod); err != nil {
			log.Fatalf("%s: %v", text, err)
		}
		withDefaults(&pod)
		forbidden := map[string]map[string]string{
			"baseline":   reasons(evaluator, api.LevelBaseline, &pod),
			"restricted": reasons(evaluator, api.LevelRestricted, &pod),
		}
		if err := encoder.Encode(answer{text, forbidden}); err != nil {
			log.Fatal(err)
		}
	}
}

// The API server makes an emptyDir of a volume that names no source, before any admission.
func withDefaults(pod *corev1.Pod) {
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].VolumeSource == (corev1.VolumeSource{}) {
			pod.Spec.Volumes[i].EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
}

// From each version on that decides otherwise than the one before.
func reasons(evaluator policy.Evaluator, level api.Level, pod *corev1.Pod) map[string]string {
	found := map[string]string{}
	before := "\x00"
	for minor := first; minor <= last+1; minor++ {
		version, name := api.MajorMinorVersion(1, minor), fmt.Sprintf("v1.%d", minor)
		if minor > last {
			version, name = api.LatestVersion(), "latest"
		}
		said := []string{}
		for _, result := range evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: version}, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				said = append(said, result.ForbiddenReason)
			}
		}
		if now := strings.Join(said, "; "); now != before {
			found[name], before = now, now
		}
	}
	return found
}

func pods(fixtures string) [][]byte {
	if fixtures != "" {
		return fromFixtures(fixtures)
	}
	found := [][]byte{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		found = append(found, append([]byte{}, lines.Bytes()...))
	}
	return found
}

// The pods of all versions from the first on, without their names, each once.
func fromFixtures(folder string) [][]byte {
	texts := map[string]bool{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" || !recent(path) {
			return err
		}
		written, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var pod map[string]any
		if err := yaml.Unmarshal(written, &pod); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		delete(pod["metadata"].(map[string]any), "name")
		text, err := json.Marshal(pod)
		texts[string(text)] = true
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	sorted := make([]string, 0, len(texts))
	for text := range texts {
		sorted = append(sorted, text)
	}
	sort.Strings(sorted)
	found := make([][]byte, 0, len(sorted))
	for _, text := range sorted {
		found = append(found, []byte(text))
	}
	return found
}

func recent(path string) bool {
	for _, part := range strings.Split(path, string(filepath.Separator)) {
		var minor int
		if _, err := fmt.Sscanf(part, "v1.%d", &minor); err == nil {
			return minor >= first
		}
	}
	return false
}

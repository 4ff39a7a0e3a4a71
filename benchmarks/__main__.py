"""`make bench`: every benchmark in turn, each a process of its own. Figures and ratios, never a verdict.

python -m benchmarks [NAME ...]     all, or those named: fleet agent render policy preview sealing lists compare plan audit
                                    audit_writes scale trial access fairness
"""

import subprocess
import sys

BENCHMARKS = (
    "fleet",
    "agent",
    "render",
    "policy",
    "preview",
    "sealing",
    "lists",
    "compare",
    "plan",
    "audit",
    "audit_writes",
    "scale",
    "trial",
    "access",
    "fairness",
)


def main() -> None:
    """Exit with the worst exit code."""
    wanted = sys.argv[1:] or BENCHMARKS
    unknown = sorted(set(wanted) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    worst = 0
    for name in wanted:
        print(f"\n== {name}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
    sys.exit(worst)


if __name__ == "__main__":
    main()

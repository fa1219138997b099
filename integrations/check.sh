#!/usr/bin/env bash
# What the action and the template of GitLab run; everything comes by variables:
#   TENSORGUARD_MODELS   weight files and folders, one a line; globs are taken
#   TENSORGUARD_KNOWN    the deny list, one a line
#   TENSORGUARD_FAIL_ON  verdicts, separated by commas
#   TENSORGUARD_QUICK    true for a first answer
# Exit status: that of check_models.py. The summary goes to $GITHUB_STEP_SUMMARY, where there is one.
set -u
arguments=()
while IFS= read -r line; do
  [ -z "$line" ] || arguments+=(--known "$line")
done <<<"${TENSORGUARD_KNOWN:-}"
[ -z "${TENSORGUARD_FAIL_ON:-}" ] || arguments+=(--fail-on "$TENSORGUARD_FAIL_ON")
[ "${TENSORGUARD_QUICK:-false}" != true ] || arguments+=(--option=--quick)
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || arguments+=(--summary "$GITHUB_STEP_SUMMARY")
arguments+=(--)
shopt -s globstar nullglob
while IFS= read -r line; do
  [ -n "$line" ] || continue
  # compgen expands the glob alone: no word splitting, no command.
  found=()
  while IFS= read -r path; do found+=("$path"); done < <(compgen -G "$line")
  if [ "${#found[@]}" = 0 ]; then
    arguments+=("$line")
  else
    arguments+=("${found[@]}")
  fi
done <<<"${TENSORGUARD_MODELS:-}"
exec "$(dirname "$0")/check_models.py" "${arguments[@]}"

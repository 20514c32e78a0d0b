#!/usr/bin/env bash
# A like, and the list that answers it, over HTTP:  ./click.sh [USER [ITEM]]     (curl and jq)
# GATEWAY: where `upwell serve` answers. TOKEN: where it asks for one.
set -euo pipefail
user=${1:-ann} item=${2:-1}
gateway=${GATEWAY:-http://127.0.0.1:8080}
auth=(${TOKEN:+-H "Authorization: Bearer $TOKEN"})
path=$(jq -rn --arg user "$user" '$user | @uri')

# Live lists, before the like is sent: the stream is open with its first line, and no list is missed.
exec 3< <(exec curl -fsSN --max-time 30 "${auth[@]}" "$gateway/v1/users/$path/events?lang=en")
trap 'kill $! 2>/dev/null || true' EXIT
IFS= read -r -u 3 _

event=$(jq -nc --arg user "$user" --arg item "$item" \
    '{topic: "clicks", user_id: $user, item_id: $item, action: "like"}' |
  curl -fsS --max-time 30 "${auth[@]}" "$gateway/v1/events" --data-binary @- |
  jq -r '.event_ids[0]')

while IFS= read -r -u 3 line; do
  [[ $line == "data: "* ]] || continue
  list=${line#data: }
  [[ $(jq -r .trigger <<<"$list") == "$event" ]] || continue
  jq -r '.items[] | "\(.title // .item_id)\n    \(.sentences[0])"' <<<"$list"
  exit 0
done
echo 'no list within 30 s: does `upwell run` run?' >&2
exit 1

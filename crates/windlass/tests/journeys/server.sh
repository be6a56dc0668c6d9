# An MCP server in bash, on standard input and output, with its tools and what a call of
# one does in the two marked places. A call leaves its answer in `said`.
while IFS= read -r line; do
  [[ $line =~ \"id\":([0-9]+|\"[^\"]*\") ]] || continue
  id=${BASH_REMATCH[1]}
  case $line in
    *'"initialize"'*)
      result='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}' ;;
    *'"tools/list"'*)
      result='{"tools":[@TOOLS@]}' ;;
    *'"tools/call"'*)
      said=''
      @CALL@
      result='{"content":[{"type":"text","text":"'"$said"'"}]}' ;;
    *) result='{}' ;;
  esac
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done

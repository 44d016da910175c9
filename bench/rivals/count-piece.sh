# Counts the words of one of eight pieces of a file: count-piece.sh <file> <piece> <folder for the counts>
split -n "l/$2/8" "$1" |
  mawk -F '([^A-Za-z\200-\377]|\342\200\224)+' \
    '{ for (i = 1; i <= NF; i++) if ($i != "") n[$i]++ } END { for (w in n) print w, n[w] }' > "$3/$2"

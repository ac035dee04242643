#!/bin/sh
# Compiles the fixtures with every clang that they stand for. Look at what changes before committing it.
set -e
cd "$(dirname "$0")"
for clang in 14 16 19; do
	for name in maps data calls; do
		"clang-$clang" -O2 -g -mcpu=v3 -target bpf -fdebug-compilation-dir=. -c "$name.bpf.c" -o "$name.clang$clang.bpf.o"
	done
done
clang-19 -O2 -g -mcpu=v3 -target bpf -fdebug-compilation-dir=. -c odd.bpf.c -o odd.clang19.bpf.o

#!/bin/sh
# venv.sh FOLDER "VERSIONS" [PYTHON]
#
# A virtual environment of a Python of one of VERSIONS ("3.13 3.12"), the first that is installed, or
# of PYTHON. One that is there stays, unless its Python is gone or was replaced, or PYTHON is
# another one: then it is made anew.
set -u
folder=$1 versions=$2 asked=${3:-}

of() { "$1" -c 'import sys; print("%d.%d %s" % (sys.version_info[:2] + (getattr(sys, "base_prefix", ""),)))' 2>/dev/null; }
fits() { case " $versions " in *" ${1%% *} "*) [ -n "$1" ] ;; *) false ;; esac; }

if [ -n "$asked" ]; then
    want=$(of "$asked")
    if ! fits "$want"; then
        found="not ${want%% *}"
        [ -n "$want" ] || found="which does not run"
        echo "$asked: needs Python $(echo "$versions" | sed 's/ / or /g'), $found; give another one: make PYTHON=..." >&2
        exit 2
    fi
fi
have=$(of "$folder/bin/python")
if [ -n "$have" ] && [ "$have" = "$(cat "$folder/.python" 2>/dev/null)" ] && fits "$have"; then
    [ -z "$asked" ] || [ "$have" = "$want" ] && exit 0
fi
if [ -z "$asked" ]; then
    for candidate in $(for version in $versions; do echo "python$version"; done) python3 python; do
        want=$(of "$candidate")
        fits "$want" && asked=$candidate && break
    done
fi
if [ -z "$asked" ]; then
    here=$(of python3)
    echo "needs Python $(echo "$versions" | sed 's/ / or /g')${here:+, not ${here%% *} (python3)}; install it, or say where it is: make PYTHON=/path/to/python" >&2
    exit 2
fi
if [ -e "$folder" ] && [ ! -e "$folder/pyvenv.cfg" ] && [ ! -L "$folder" ]; then
    echo "$folder: is no virtual environment; remove it, or give another one: make VENV=..." >&2
    exit 2
fi
rm -rf "$folder"
if ! "$asked" -m venv "$folder"; then
    echo "$asked: cannot make $folder; on Debian, install python${want%% *}-venv" >&2
    exit 2
fi
echo "$want" > "$folder/.python"

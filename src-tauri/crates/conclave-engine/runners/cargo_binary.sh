# Says which test program is started, and starts it.
printf '\nconclave-binary %s\n' "${1##*/}"
exec "$@"

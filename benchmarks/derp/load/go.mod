module hatsize/benchmarks/derp/load

go 1.23

require golang.org/x/crypto v0.31.0

require golang.org/x/sys v0.28.0 // indirect
